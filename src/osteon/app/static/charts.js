// The curves. Charts are made once and then redrawn in place: the large one at once, the others in the next frame, and
// only those that can be seen.
import { signed } from "./words.js";

const $ = (id) => document.getElementById(id);
const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const CONFIG = { displayModeBar: false, responsive: true, scrollZoom: false, doubleClick: false };
export const MARGIN = { l: 52, r: 14, t: 8, b: 30 };
const UNITS = { pct: "change from today, %", series: "g/cm²", t_score: "T-score" };
const SITES = { lumbar_spine: "lumbar spine", total_hip: "total hip", femoral_neck: "femoral neck" };

export class Charts {
  constructor(page) { this.page = page; this.seen = new Set(); this.ready = import("nicegui-plotly").then((m) => (this.Plotly = m.Plotly)); this.watch(); }

  watch() {
    const eye = new IntersectionObserver((found) => {
      for (const one of found) {
        if (one.isIntersecting) this.seen.add(one.target.id); else this.seen.delete(one.target.id);
      }
      if (this.page.answer) this.others();
    }, { rootMargin: "200px" });
    for (const id of ["markers", "ageing", "fracture"]) eye.observe($(id));
  }

  async draw() {
    await this.ready;
    this.hero();
    cancelAnimationFrame(this.later);
    this.later = requestAnimationFrame(() => this.others());
  }

  colours() {
    const dark = document.documentElement.classList.contains("dark");
    if (this.dark !== dark) {
      this.dark = dark;
      this.c = Object.fromEntries(["a", "b", "none", "ink", "soft", "line", "card", "green", "pink", "a-wash", "b-wash", "up", "down"].map((n) => [n, css(`--${n}`)]));
    }
    return this.c;
  }

  layout(title, extra = {}) {
    const c = this.colours(), months = this.page.answer.a.months, end = months.at(-1);
    const step = end <= 36 ? 6 : end <= 132 ? 12 : 24;
    const ticks = Array.from({ length: Math.floor(end / step) + 1 }, (_, i) => i * step);
    const { yaxis = {}, ...rest } = extra;
    return {
      autosize: true, margin: MARGIN, paper_bgcolor: "rgba(0,0,0,0)", plot_bgcolor: "rgba(0,0,0,0)", showlegend: false, hovermode: "x unified",
      font: { family: "Roboto, system-ui, sans-serif", size: 12.5, color: c.soft }, hoverlabel: { bgcolor: c.card, bordercolor: c.line, font: { color: c.ink } },
      xaxis: { range: [0, end], tickvals: ticks, ticktext: ticks.map((t) => (t === 0 ? "today" : step < 12 ? `${t} mo` : `${t / 12} y`)), gridcolor: c.line, zeroline: false, fixedrange: true, linecolor: c.line, hoverformat: ".0f", unifiedhovertitle: { text: "month %{x:.0f}" } },
      yaxis: { title: { text: title, standoff: 6, font: { size: 12 } }, gridcolor: c.line, zerolinecolor: c.soft, zerolinewidth: 1, fixedrange: true, automargin: false, ...yaxis },
      ...rest,
    };
  }

  line(y, colour, name, dash = "solid", width = 2.6, x = this.page.answer.a.months) {
    return { x, y, mode: "lines", line: { color: colour, width, dash, shape: "linear" }, name, hovertemplate: `%{y:${this.format ?? ".1f"}}` };
  }
  band(found, colour, x = this.page.answer.a.months) {
    const there = found.lower !== undefined;
    return { x: there ? [...x, ...[...x].reverse()] : [0], y: there ? [...found.upper, ...[...found.lower].reverse()] : [null], mode: "lines", fill: "toself", fillcolor: colour, line: { width: 0 }, hoverinfo: "skip" };
  }

  hero() {
    const { a, b } = this.page.answer, c = this.colours(), { site, unit } = this.page.view;
    const of = (plan) => (unit === "t_score" ? plan.t_score[site] : plan[unit][`${site}_bmd`]);
    this.format = unit === "pct" ? "+.1f" : unit === "series" ? ".3f" : ".2f";
    const treated = this.page.treatments("a").length > 0 || b;
    const data = [
      this.line(treated ? of(a.untreated).value : [], c.none, "untreated", "dot", 2),
      this.band(of(a.plan), c["a-wash"]), b ? this.band(of(b.plan), c["b-wash"]) : this.band({}, c["b-wash"]),
      this.line(b ? of(b.plan).value : [], c.b, "plan B", "dash"),
      this.line(of(a.plan).value, treated ? c.a : c.none, b ? "plan A" : treated ? "plan" : "untreated"),
    ];
    const all = data.slice(1).flatMap((t) => t.y).concat(treated ? of(a.untreated).value : []).filter(Number.isFinite);
    let low = Math.min(...all), high = Math.max(...all);
    const least = unit === "pct" ? 8 : unit === "series" ? 0.08 : 0.8, pad = Math.max((high - low) * 0.08, (least - (high - low)) / 2);
    low -= pad; high += pad;
    const shapes = [], annotations = [];
    if (unit !== "pct") this.zones(site, unit, low, high, shapes, annotations);
    const layout = this.layout(UNITS[unit], { yaxis: { range: [low, high] }, shapes, annotations });
    this.Plotly.react($("hero"), data, layout, CONFIG).then(() => this.hovering());
    $("hero").setAttribute("aria-label", `${SITES[site]}, ${UNITS[unit]}: ${of(a.plan).value[0]} today, ${of(a.plan).value.at(-1)} at the end. ${a.words.changed}`);
    $("legend").innerHTML = [
      treated ? `<span><i style="border-color:${c.a}"></i>${b ? "plan A" : "plan"}</span>` : "",
      b ? `<span><i class="dash" style="border-color:${c.b}"></i>plan B</span>` : "",
      `<span><i class="dot" style="border-color:${c.none}"></i>untreated</span>`,
      a.draws ? `<span class="wash"><i></i>90 of 100 draws</span>` : "",
    ].join("");
    this.moveCursor();
  }

  zones(site, unit, low, high, shapes, annotations) {
    const c = this.colours(), p = this.page.answer.a.plan;
    const t = p.t_score[site].value, y = p.series[`${site}_bmd`].value, n = t.length - 1;
    const slope = Math.abs(t[n] - t[0]) > 1e-9 ? (y[n] - y[0]) / (t[n] - t[0]) : 0;
    const at = (score) => (unit === "t_score" ? score : slope ? y[0] + (score - t[0]) * slope : NaN);
    for (const [from, to, name, colour] of [[-1, 9, "normal", c.green], [-2.5, -1, "low bone mass", c.b], [-9, -2.5, "osteoporosis", c.pink]]) {
      const y0 = Math.max(low, at(from)), y1 = Math.min(high, at(to));
      if (!(y1 > y0)) continue;
      shapes.push({ type: "rect", xref: "paper", x0: 0, x1: 1, y0, y1, fillcolor: colour, opacity: 0.07, line: { width: 0 }, layer: "below" });
      if ((y1 - y0) / (high - low) > 0.09) annotations.push({ xref: "paper", x: 0.995, y: y1, yanchor: "top", xanchor: "right", text: name, showarrow: false, font: { size: 11.5, color: colour } });
    }
  }

  hovering() {
    if (this.hooked) return;
    this.hooked = true;
    $("hero").on("plotly_hover", (e) => { if (!matchMedia("(pointer: coarse)").matches) this.page.show(e.points[0].x); });
    $("hero").on("plotly_click", (e) => this.page.show(e.points[0].x));
  }
  moveCursor() {
    const end = this.page.answer.a.months.at(-1), width = $("hero").clientWidth - MARGIN.l - MARGIN.r;
    $("cursor").style.transform = `translateX(${MARGIN.l + (Math.min(this.page.view.month, end) / end) * width}px)`;
  }

  others() {
    if (!this.Plotly) return;
    this.fractures();
    const { a, b } = this.page.answer, c = this.colours();
    this.format = "+.0f";
    if (this.seen.has("markers")) {
      const data = [];
      for (const [name, label, colour] of [["p1np", "P1NP (built)", c.up], ["ctx", "CTX (removed)", c.down]]) {
        data.push(this.band(a.plan.pct[name], colour + "1c"), this.line(b ? b.plan.pct[name].value : [], colour, `${label}, B`, "dash", 1.8), this.line(a.plan.pct[name].value, colour, label));
      }
      const annotations = this.names([["P1NP", a.plan.pct.p1np, c.up], ["CTX", a.plan.pct.ctx, c.down]]);
      this.Plotly.react($("markers"), data, this.layout("change from today, %", { annotations }), CONFIG);
      $("markers-words").textContent = `At the end P1NP is ${signed(a.plan.pct.p1np.value.at(-1), 0)} % and CTX ${signed(a.plan.pct.ctx.value.at(-1), 0)} % from today. ${b ? "Dashed: plan B." : ""}`;
    }
    if (this.seen.has("ageing")) {
      this.format = ".2f";
      const data = [], of = [["senescent_burden", "senescent cells", c.down], ["inflammation", "inflammation", c.b], ["progenitors", "progenitors", c.up]];
      for (const [name, label, colour] of of) {
        const s = a.plan.series[name];
        data.push(this.band(s, colour + "16"), this.line(b ? b.plan.series[name].value : [], colour, `${label}, B`, "dash", 1.8), this.line(s.value, colour, label));
      }
      const annotations = this.names(of.map(([name, label, colour]) => [label, a.plan.series[name], colour]));
      this.Plotly.react($("ageing"), data, this.layout("relative", { yaxis: { rangemode: "tozero" }, annotations }), CONFIG);
    }
  }

  fractures() {
    const { a, b } = this.page.answer, c = this.colours();
    if (a.draws) $("fractures").hidden = !a.fractures; // without bands nothing is said of fractures: keep what is there
    if (!a.fractures || !this.seen.has("fracture")) return;
    this.format = ".1f";
    const rows = [["vertebral_fracture", "vertebra", c.a], ["hip_fracture", "hip", c.pink], ["nonvertebral_fracture", "other than vertebra", c.green]], data = [];
    for (const [name, label, colour] of rows) {
      const own = a.fractures.plan[name];
      if (!own) continue;
      data.push(this.band(own, colour + "16"), this.line(a.fractures.untreated[name].value, colour, `${label}, untreated`, "dot", 1.6), this.line(b ? b.fractures.plan[name].value : [], colour, `${label}, B`, "dash", 1.8), this.line(own.value, colour, label));
    }
    const annotations = this.names(rows.filter(([n]) => a.fractures.plan[n]).map(([n, label, colour]) => [label, a.fractures.plan[n], colour]));
    this.Plotly.react($("fracture"), data, this.layout("chance of a first fracture, %", { yaxis: { rangemode: "tozero" }, annotations }), CONFIG);
    const hip = a.fractures.plan.hip_fracture?.value.at(-1), none = a.fractures.untreated.hip_fracture?.value.at(-1);
    if (hip !== undefined) $("fractures-words").textContent = `Chance of a hip fracture by the end: ${hip.toFixed(1)} of 100 on the plan, ${none.toFixed(1)} untreated (dotted). This is not FRAX.`;
  }

  // Names beside the end of the lines, so that no legend is needed; pushed apart where lines end together.
  names(rows) {
    const ys = rows.map(([, s]) => s.value.at(-1)), all = rows.flatMap(([, s]) => [...s.value, ...(s.upper ?? []), ...(s.lower ?? [])]);
    const gap = (Math.max(...all, 0.1) - Math.min(...all, 0)) * 0.1;
    const order = ys.map((y, i) => [y, i]).sort((p, q) => p[0] - q[0]);
    let last = -Infinity;
    for (const row of order) { row[0] = Math.max(row[0], last + gap); last = row[0]; }
    return order.map(([y, i]) => ({ x: 1, xref: "paper", xanchor: "right", y, yanchor: "bottom", text: rows[i][0], showarrow: false, font: { color: rows[i][2], size: 12 } }));
  }

  async save(format) {
    const c = this.colours(), hero = $("hero");
    const { site, unit } = this.page.view;
    const layout = { ...hero.layout, paper_bgcolor: c.card, showlegend: true, margin: { l: 64, r: 24, t: 54, b: 60 }, title: { text: `${SITES[site]}, ${UNITS[unit]}`, font: { size: 16, color: c.ink } },
      annotations: [...(hero.layout.annotations ?? []), { text: "osteon: research tool, not medical advice", xref: "paper", yref: "paper", x: 0, y: -0.16, xanchor: "left", showarrow: false, font: { size: 11 } }], legend: { orientation: "h", y: 1.08, x: 1, xanchor: "right" } };
    const data = hero.data.filter((t) => t.y.length > 1).map((t) => ({ ...t, showlegend: Boolean(t.name && !t.fill) }));
    const box = document.createElement("div");
    await this.Plotly.newPlot(box, data, { ...layout, width: 900, height: 520, autosize: false });
    await this.Plotly.downloadImage(box, { format, width: 900, height: 520, scale: format === "png" ? 2 : 1, filename: "osteon-plan" });
    this.Plotly.purge(box);
  }
}
