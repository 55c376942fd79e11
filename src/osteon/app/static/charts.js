// What the charts of the page show: the large one at once, the others after that frame and only where they are seen.
import { MARGIN, draw, room } from "./curves.js";
import { save, signed, when } from "./words.js";

const $ = (id) => document.getElementById(id);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const UNITS = { pct: "change from today, %", series: "g/cm²", t_score: "T-score" };
const SITES = { lumbar_spine: "lumbar spine", total_hip: "total hip", femoral_neck: "femoral neck" };
export { MARGIN };

export class Charts {
  constructor(page) { this.page = page; this.seen = new Set(); this.watch(); this.hover(); }

  watch() {
    const eye = new IntersectionObserver((found) => {
      for (const one of found) if (one.isIntersecting) this.seen.add(one.target.id); else this.seen.delete(one.target.id);
      if (this.page.answer) this.others();
    }, { rootMargin: "300px" });
    for (const id of ["markers", "ageing", "fractures"]) eye.observe($(id));
    this.size = [$("hero").clientWidth || 600, $("hero").clientHeight || 330]; // asked for when it changes: each time would lay the page out anew
    new ResizeObserver(() => {
      this.size = [$("hero").clientWidth || 600, $("hero").clientHeight || 330];
      if (this.page.answer) this.draw();
    }).observe($("hero"));
  }

  draw() {
    this.hero();
    cancelAnimationFrame(this.later); clearTimeout(this.after);
    this.later = requestAnimationFrame(() => (this.after = setTimeout(() => this.others()))); // when the large one is on the screen
  }

  colours() {
    const dark = document.documentElement.classList.contains("dark");
    if (this.dark !== dark) {
      this.dark = dark;
      this.c = Object.fromEntries(["a", "b", "none", "ink", "soft", "line", "card", "green", "pink", "a-wash", "b-wash", "up", "down"].map((n) => [n, css(`--${n}`)]));
    }
    return this.c;
  }

  // The large chart ------------------------------------------------------------------------------------------------
  spec() {
    const { a, b } = this.page.answer, c = this.colours(), { site, unit } = this.page.view;
    const of = (plan) => (unit === "t_score" ? plan.t_score[site] : plan[unit][`${site}_bmd`]);
    const treated = a.regimen !== "none" || b, own = of(a.plan), other = b && of(b.plan), none = of(a.untreated);
    const lines = [
      ...(treated ? [{ y: none.value, colour: c.none, dash: "dot", width: 2, name: "untreated" }] : []),
      ...(b ? [{ y: other.value, colour: c.b, dash: "dash", name: "plan B" }] : []),
      { y: own.value, colour: treated ? c.a : c.none, name: b ? "plan A" : treated ? "plan" : "untreated" },
    ];
    const bands = [{ ...own, colour: treated ? c["a-wash"] : c["a-wash"] }, ...(b ? [{ ...other, colour: c["b-wash"] }] : [])];
    const values = [...lines.map((l) => l.y), ...bands.flatMap((x) => [x.lower ?? [], x.upper ?? []])];
    const range = room(values, { pct: 8, series: 0.08, t_score: 0.8 }[unit]);
    return { x: a.months, lines, bands, range, title: UNITS[unit], zones: unit === "pct" ? [] : this.zones(site, unit), treated };
  }

  hero() {
    const { a, b } = this.page.answer, c = this.colours(), { site, unit } = this.page.view, box = $("hero");
    const spec = (this.shown = this.spec());
    box.innerHTML = draw(spec, ...this.size, c);
    const own = spec.lines.at(-1).y;
    box.setAttribute("aria-label", `${SITES[site]}, ${UNITS[unit]}: ${own[0]} today, ${own.at(-1)} at the end. ${a.words.changed}`);
    $("legend").innerHTML = [
      spec.treated ? `<span><i style="border-color:${c.a}"></i>${b ? "plan A" : "plan"}</span>` : "",
      b ? `<span><i class="dash" style="border-color:${c.b}"></i>plan B</span>` : "",
      `<span><i class="${spec.treated ? "dot" : ""}" style="border-color:${c.none}"></i>untreated</span>`,
      a.draws ? '<span class="wash"><i></i>90 of 100 draws</span>' : "",
    ].join("");
    this.moveCursor();
  }

  // The bands of the WHO; in g/cm² they lie where the T-scores of this site do.
  zones(site, unit) {
    const c = this.colours(), p = this.page.answer.a.untreated;
    const t = p.t_score[site].value, y = p.series[`${site}_bmd`].value, n = t.length - 1;
    const slope = Math.abs(t[n] - t[0]) > 1e-9 ? (y[n] - y[0]) / (t[n] - t[0]) : NaN;
    const at = (score) => (unit === "t_score" ? score : y[0] + (score - t[0]) * slope);
    return [[-1, 9, "normal", c.green], [-2.5, -1, "low bone mass", c.b], [-9, -2.5, "osteoporosis", c.pink]]
      .map(([from, to, name, colour]) => ({ from: at(from), to: at(to), name, colour }));
  }

  hover() {
    const box = $("hero"), tip = $("tip");
    const at = (e) => {
      const inside = box.clientWidth - MARGIN.l - MARGIN.r, end = this.page.answer.a.months.at(-1);
      return Math.min(end, Math.max(0, ((e.clientX - box.getBoundingClientRect().left - MARGIN.l) / inside) * end));
    };
    box.addEventListener("pointermove", (e) => { if (this.page.answer && e.pointerType === "mouse") { this.page.show(at(e)); this.tip(tip); } });
    box.addEventListener("pointerdown", (e) => { if (this.page.answer) { this.page.show(at(e)); this.tip(tip); } });
    box.addEventListener("pointerleave", () => { tip.hidden = true; });
  }
  tip(tip) {
    const month = this.page.view.month, digits = { pct: 1, series: 3, t_score: 2 }[this.page.view.unit];
    const i = this.shown.x.reduce((best, m, k) => (Math.abs(m - month) < Math.abs(this.shown.x[best] - month) ? k : best), 0);
    const text = (v) => (this.page.view.unit === "pct" ? `${signed(v)} %` : v.toFixed(digits).replace("-", "−"));
    tip.innerHTML = `<b>${when(month)}</b>` + [...this.shown.lines].reverse().map((l) => `<span><i style="background:${l.colour}"></i>${l.name} ${text(l.y[i])}</span>`).join("");
    tip.hidden = false;
    const left = this.cursorAt() > $("hero").clientWidth / 2;
    tip.style.left = left ? "" : `${this.cursorAt() + 10}px`;
    tip.style.right = left ? `${$("hero").clientWidth - this.cursorAt() + 10}px` : "";
  }
  cursorAt() {
    const end = this.page.answer.a.months.at(-1), width = this.size[0] - MARGIN.l - MARGIN.r;
    return MARGIN.l + (Math.min(this.page.view.month, end) / end) * width;
  }
  moveCursor() { $("cursor").style.transform = `translateX(${this.cursorAt()}px)`; }

  // The small charts -----------------------------------------------------------------------------------------------
  small(id, title, rows, least, zero = false) {
    const box = $(id), lines = [], bands = [];
    for (const { own, other, none, colour } of rows) {
      bands.push({ ...own, colour: colour + "1c" });
      if (none) lines.push({ y: none.value, colour, dash: "dot", width: 1.6 });
      if (other) lines.push({ y: other.value, colour, dash: "dash", width: 1.8 });
      lines.push({ y: own.value, colour });
    }
    const range = room([...lines.map((l) => l.y), ...bands.flatMap((x) => [x.lower ?? [], x.upper ?? []]), zero ? [0] : []], least);
    if (zero) range[0] = Math.max(0, range[0]);
    const names = this.names(rows, range);
    box.innerHTML = draw({ x: this.page.answer.a.months, lines, bands, range, title, names }, box.clientWidth || 400, box.clientHeight || 230, this.colours());
  }

  // Names at the end of the lines, pushed apart where lines end together, so that no legend is needed.
  names(rows, [low, high]) {
    const gap = (high - low) * 0.1, order = rows.map((r) => ({ y: r.own.value.at(-1), text: r.label, colour: r.colour })).sort((p, q) => p.y - q.y);
    let last = -Infinity;
    for (const one of order) { one.y = Math.min(Math.max(one.y, last + gap), high - gap); last = one.y; }
    return order;
  }

  others() {
    const { a, b } = this.page.answer, c = this.colours();
    if (this.seen.has("markers")) {
      const rows = [["p1np", "P1NP: built", c.up], ["ctx", "CTX: removed", c.down]].map(([n, label, colour]) => ({ own: a.plan.pct[n], other: b?.plan.pct[n], label, colour }));
      this.small("markers", "change from today, %", rows, 20);
      $("markers-words").textContent = `At the end P1NP is ${signed(a.plan.pct.p1np.value.at(-1), 0)} % and CTX ${signed(a.plan.pct.ctx.value.at(-1), 0)} % from today.${b ? " Dashed: plan B." : ""}`;
    }
    if (this.seen.has("ageing")) {
      const rows = [["senescent_burden", "senescent cells", c.down], ["inflammation", "inflammation", c.b], ["progenitors", "progenitors", c.up]].map(([n, label, colour]) => ({ own: a.plan.series[n], other: b?.plan.series[n], label, colour }));
      this.small("ageing", "relative", rows, 1, true);
    }
    if (a.draws) $("fractures").hidden = !a.fractures; // only answers with bands tell of fractures
    if (a.fractures && !$("fractures").hidden) {
      const own = a.fractures.plan, none = a.fractures.untreated;
      const rows = [["vertebral_fracture", "vertebra", c.a], ["hip_fracture", "hip", c.down], ["nonvertebral_fracture", "any but vertebra", c.up]]
        .filter(([n]) => own[n]).map(([n, label, colour]) => ({ own: own[n], none: none[n], other: b?.fractures?.plan[n], label, colour }));
      this.small("fracture", "chance of a first fracture, %", rows, 2, true);
      const last = (x) => x.hip_fracture.value.at(-1).toFixed(1);
      if (own.hip_fracture) $("fractures-words").textContent = `Chance of a hip fracture by the end: ${last(own)} in 100 on ${b ? "plan A" : "the plan"}${b?.fractures ? `, ${last(b.fractures.plan)} on plan B (dashed)` : ""}, ${last(none)} untreated (dotted), with death from other causes counted. This is not FRAX, and no number for one patient.`;
    }
  }

  // Pictures to keep -----------------------------------------------------------------------------------------------
  picture() {
    const c = this.colours(), { site, unit } = this.page.view, wide = 900, high = 520, spec = this.spec();
    const svg = draw(spec, wide, high - 100, c).replace(/^<svg[^>]*>/, "").replace(/<\/svg>$/, "");
    let x = 52;
    const keys = spec.lines.map((l) => { const at = x; x += 60 + 8 * l.name.length; return `<path d="M${at} 62h26" stroke="${l.colour}" stroke-width="3"${l.dash ? ` stroke-dasharray="${l.dash === "dot" ? "2 4" : "8 5"}"` : ""}/><text x="${at + 33}" y="66">${l.name}</text>`; }).join("");
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${wide}" height="${high}" viewBox="0 0 ${wide} ${high}" font-family="Roboto, sans-serif" font-size="12.5" fill="${c.soft}"><rect width="${wide}" height="${high}" fill="${c.card}"/>
      <text x="52" y="36" font-size="18" font-weight="700" fill="${c.ink}">${SITES[site]}, ${UNITS[unit]}</text>${keys}<g transform="translate(0 74)">${svg}</g><text x="52" y="${high - 10}" font-size="11.5">osteon: research tool, not medical advice</text></svg>`;
  }
  save(format) {
    const svg = this.picture();
    if (format === "svg") return save("osteon-plan.svg", svg, "image/svg+xml");
    const image = new Image();
    image.onload = () => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 1800, height: 1040 });
      canvas.getContext("2d").drawImage(image, 0, 0, 1800, 1040);
      canvas.toBlob((blob) => save("osteon-plan.png", blob, "image/png"));
    };
    image.src = "data:image/svg+xml;charset=utf-8," + encodeURIComponent(svg);
  }
}
