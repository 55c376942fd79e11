// Numbers as people write them, and files to keep.
export const signed = (v, digits = 1) => {
  const text = Math.abs(v).toFixed(digits);
  return Number(text) === 0 ? text : (v > 0 ? "+" : "−") + text;
};
export const years = (v) => `${v} year${v === 1 ? "" : "s"}`;
export const when = (month) => (month < 0.25 ? "now" : month < 12 ? `${Math.round(month)} months` : years(Number((month / 12).toFixed(1))));
export const escape = (text) => String(text).replace(/[&<>"']/g, (c) => `&#${c.charCodeAt(0)};`);

export function save(name, content, type) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([content], { type }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1000);
}

export function csv(answer) {
  const plans = [["A", answer.a.plan], ...(answer.b ? [["B", answer.b.plan]] : []), ["untreated", answer.a.untreated]];
  const rows = ["# osteon: research tool, not medical advice", "plan,name,month,value,lower,upper,change_pct"];
  for (const [label, plan] of plans)
    for (const [name, x] of Object.entries(plan.series))
      answer.a.months.forEach((m, i) => rows.push([label, name, m, x.value[i], x.lower?.[i] ?? "", x.upper?.[i] ?? "", plan.pct[name]?.value[i] ?? ""].join(",")));
  return rows.join("\n") + "\n";
}
