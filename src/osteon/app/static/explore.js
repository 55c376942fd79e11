// The page "Explore": holds what is chosen, asks for curves (one question at a time while a slider moves, bands when it
// rests), and hands the answer to chart, balance and timeline.
import { Charts } from "./charts.js";
import { Timeline } from "./timeline.js";
import { Balance } from "./balance.js";
import { signed, years, save, csv } from "./words.js";

const REST = 160; // ms without a change, after which bands are asked for
const $ = (id) => document.getElementById(id);
const SLIDERS = [
  { key: "age", label: "Age", min: 45, max: 90, step: 1, show: (v) => `${v} years` },
  { key: "years_since_menopause", label: "Years since menopause", min: 0, max: 45, step: 1, usual: (s, typical) => Math.max(0, Math.round(s.age - typical.menopause_age)), show: (v) => `${v}`, women: true },
  { key: "lumbar_spine", label: "T-score, spine", min: -5, max: 1.5, step: 0.1, t: true, show: (v) => v.toFixed(1).replace("-", "−") },
  { key: "total_hip", label: "T-score, hip", min: -5, max: 1.5, step: 0.1, t: true, show: (v) => v.toFixed(1).replace("-", "−") },
  { key: "weight_kg", label: "Weight", min: 40, max: 120, step: 1, usual: (_, typical) => typical.weight_kg, show: (v) => `${v} kg` },
  { key: "senescent_burden", label: "Frailty: senescent cells", min: 0, max: 3, step: 0.1, always: true, show: (v) => (v === 1 ? "usual" : `${v.toFixed(1)} × usual`) },
  { key: "years", label: "Years to look ahead", min: 1, max: 20, step: 1, always: true, show: (v) => years(v) },
];

class Explore {
  constructor() {
    this.offered = JSON.parse($("offered").textContent);
    this.state = null; this.answer = null; this.busy = false; this.waiting = false; this.asked = 0; this.active = "a";
    this.view = { site: "lumbar_spine", unit: "pct", month: 6 };
    this.charts = new Charts(this); this.balance = new Balance(this); this.timeline = new Timeline(this);
    this.makeSliders(); this.listen();
    this.ask({ text: location.hash.slice(1) });
  }

  // What is chosen -----------------------------------------------------------------------------------------------
  value(s) {
    const found = s.t ? this.state.plan.t_score[s.key] : this.state.plan[s.key];
    return found === undefined ? null : found;
  }
  usual(s) {
    if (s.t) return this.answer?.typical.t_score[s.key] ?? -1;
    return s.usual && this.answer ? s.usual(this.state.plan, this.answer.typical) : 1;
  }
  set(s, value) {
    const plan = this.state.plan;
    if (s.t) { if (value === null) delete plan.t_score[s.key]; else plan.t_score[s.key] = value; }
    else plan[s.key] = value;
    if (plan.years_since_menopause !== null) plan.years_since_menopause = Math.min(plan.years_since_menopause, plan.age - 20);
    this.showSliders(); this.changed();
  }
  treatments(which = this.active) { return which === "b" ? this.state.other : this.state.plan.treatments; }
  changed() {
    clearTimeout(this.resting);
    if (this.busy) this.waiting = true; else this.ask({ ...this.question(), moving: true });
    this.resting = setTimeout(() => this.ask({ ...this.question(), bands: true }), REST);
  }
  question() { return { plan: this.state.plan, other: this.state.other }; }

  // Asking --------------------------------------------------------------------------------------------------------
  async ask(question) {
    const mine = ++this.asked, live = !question.bands;
    if (live) this.busy = true;
    let answer;
    try {
      const reply = await fetch("/live", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(question) });
      answer = await reply.json();
    } catch { answer = { error: "The app does not answer: is it still running?" }; }
    if (live) this.busy = false;
    const last = mine === this.asked;
    if (answer.error) { if (last) this.fail(answer.error.what ?? answer.error); }
    else if (last || live) this.receive(answer, question);
    if (this.waiting && live) { this.waiting = false; this.ask({ ...this.question(), moving: true }); }
    if (question.text !== undefined && !answer.error) this.ask({ ...this.question(), bands: true });
  }
  fail(text) { $("error").textContent = text; $("error").hidden = false; }
  receive(answer, question) {
    $("error").hidden = true;
    if (!this.state || question.text !== undefined) {
      this.state = answer.state; this.active = "a"; this.selected = null; this.timeline.draw(); 
    }
    this.answer = answer;
    this.charts.draw();
    this.balance.draw(); this.showTiles();
    if (answer.a.draws || question.text !== undefined) { this.showRest(); }
    this.showSliders();
    history.replaceState(null, "", "#" + answer.text);
    Object.assign($("explore").dataset, { ready: "yes", bands: answer.a.draws ? "yes" : "no" });
  }

  // Showing --------------------------------------------------------------------------------------------------------
  makeSliders() {
    $("sliders").innerHTML = SLIDERS.map((s) => `<div class="slider" data-key="${s.key}"><label for="s-${s.key}">${s.label}</label>
      <span class="val"><output for="s-${s.key}"></output>${s.always || s.key === "age" ? "" : `<button type="button" class="usual" aria-label="${s.label}: back to the usual">usual</button>`}</span>
      <input type="range" id="s-${s.key}" min="${s.min}" max="${s.max}" step="${s.step}"></div>`).join("");
    for (const s of SLIDERS) {
      const box = document.querySelector(`.slider[data-key="${s.key}"]`);
      s.box = box; s.input = box.querySelector("input"); s.out = box.querySelector("output"); s.button = box.querySelector("button");
      s.input.addEventListener("input", () => this.state && this.set(s, Number(s.input.value)));
      s.button?.addEventListener("click", () => this.state && this.set(s, null));
    }
  }
  showSliders() {
    const plan = this.state.plan;
    for (const s of SLIDERS) {
      const own = this.value(s), value = own ?? this.usual(s);
      s.box.hidden = Boolean(s.women && plan.sex === "male");
      if (document.activeElement !== s.input || own === null || Number(s.input.value) !== value) s.input.value = value;
      s.out.textContent = s.show(value) + (own === null ? " · usual" : "");
      s.box.classList.toggle("own", own !== null);
      if (s.button) s.button.hidden = own === null;
      s.input.setAttribute("aria-valuetext", s.out.textContent);
      s.input.style.setProperty("--at", `${(100 * (value - s.min)) / (s.max - s.min)}%`);
    }
    for (const b of document.querySelectorAll("[data-sex]")) b.setAttribute("aria-pressed", b.dataset.sex === plan.sex);
  }
  showTiles() {
    const { a, b } = this.answer;
    for (const tile of document.querySelectorAll(".tile")) {
      const name = `${tile.dataset.site}_bmd`, one = a.summary[name];
      const band = one.lower === undefined ? "&nbsp;" : `${signed(one.lower)} to ${signed(one.upper)}`;
      const other = b ? `<span class="tile-b" data-value="b-${name}">B ${signed(b.summary[name].value)} %</span>` : "";
      tile.innerHTML = `<span class="tile-name">${one.label.replace(" BMD", "")}</span><span class="tile-value" data-value="${name}">${b ? "<small>A</small> " : ""}${signed(one.value)}&nbsp;%</span>${other}
        <span class="tile-more">${b ? `untreated ${signed(one.untreated)}&nbsp;%` : this.treatments("a").length ? `${band} · untreated ${signed(one.untreated)}&nbsp;%` : band}</span>`;
      tile.setAttribute("aria-pressed", tile.dataset.site === this.view.site);
    }
    $("changed").textContent = b ? `Plan A: ${a.words.changed} Plan B: ${b.words.changed}` : a.words.changed;
    $("compare").setAttribute("aria-pressed", Boolean(b));
    $("compare").textContent = b ? "Remove plan B" : "Compare with a plan B";
  }
  showRest() {
    const { a, b } = this.answer;
    $("sure").textContent = a.words.sure; $("rests").textContent = b ? `Plan A: ${a.words.rests_on} Plan B: ${b.words.rests_on}` : a.words.rests_on;
    const at = a.months.map((m, i) => [m, i]).filter(([m]) => m % 12 === 0);
    const names = [["lumbar_spine_bmd", "spine"], ["total_hip_bmd", "hip"], ["femoral_neck_bmd", "neck"], ["p1np", "P1NP"], ["ctx", "CTX"]];
    const plans = b ? [["A ", a.plan], ["B ", b.plan], ["none ", a.untreated]] : [["", a.plan], ["untreated ", a.untreated]];
    $("table").innerHTML = `<caption class="sr">Change from today in %</caption><thead><tr><th scope="col">Year</th>${plans.map(([p]) => names.map(([, n]) => `<th scope="col">${p}${n} %</th>`).join("")).join("")}</tr></thead><tbody>`
      + at.map(([m, i]) => `<tr><th scope="row">${m / 12}</th>${plans.map(([, p]) => names.map(([n]) => `<td>${signed(p.pct[n].value[i])}</td>`).join("")).join("")}</tr>`).join("") + "</tbody>";
  }
  show(month) { this.view.month = month; this.balance.draw(); this.charts.moveCursor(); }

  // Doing ----------------------------------------------------------------------------------------------------------
  add(therapy, month = null) {
    const list = this.treatments();
    if (list.length >= 12) return this.fail("A plan holds 12 treatments at most; remove one first.");
    const one = structuredClone(this.offered[therapy].treatment);
    const same = list.filter((t) => t.therapy === therapy);
    const end = Math.max(0, ...list.map((t) => t.start_month + (t.interval === "once" ? 0 : t.months)));
    one.start_month = month ?? (end < this.state.plan.years * 12 ? end : 0);
    const last = Math.max(0, ...same.map((t) => t.start_month + (t.interval === "once" ? 1 : t.months)));
    if (same.length && one.start_month < last) one.start_month = last;
    one.start_month = Math.min(one.start_month, 348);
    list.push(one); this.selected = one; this.timeline.draw(); this.changed();
    this.timeline.focus(one);
  }
  listen() {
    document.addEventListener("click", (e) => {
      const hit = (name) => e.target.closest(`[data-${name}]`)?.dataset[name];
      if (!this.state) return;
      if (hit("sex")) { this.state.plan.sex = hit("sex"); if (hit("sex") === "male") this.state.plan.years_since_menopause = null; this.showSliders(); this.changed(); }
      else if (hit("site")) { this.view.site = hit("site"); this.showTiles(); this.charts.draw(); }
      else if (hit("unit")) { this.view.unit = hit("unit"); for (const b of document.querySelectorAll("[data-unit]")) b.setAttribute("aria-pressed", b.dataset.unit === this.view.unit); this.charts.draw(); }
      else if (hit("add")) this.add(hit("add"));
      else if (hit("preset")) { this.view.month = 6; this.ask({ text: hit("preset") }); }
      else if (hit("export")) { this.export(hit("export")); e.target.closest("details").open = false; }
    });
    $("compare").addEventListener("click", () => {
      this.state.other = this.state.other ? null : structuredClone(this.state.plan.treatments);
      this.active = this.state.other ? "b" : "a"; this.selected = null; this.timeline.draw(); this.changed();
    });
    $("clear").addEventListener("click", () => {
      if (this.active === "b") this.state.other = []; else this.state.plan.treatments = [];
      this.selected = null; this.timeline.draw(); this.changed();
    });
    $("share").addEventListener("click", async () => {
      try { await navigator.clipboard.writeText(location.href); $("share").textContent = "Copied"; } catch { $("share").textContent = "Copy it from the address bar"; }
      setTimeout(() => ($("share").textContent = "Copy link"), 2500);
    });
    addEventListener("hashchange", () => { if (location.hash.slice(1) !== this.answer?.text) this.ask({ text: location.hash.slice(1) }); });
    addEventListener("osteon-theme", () => this.answer && this.charts.draw());
  }
  async export(kind) {
    if (kind === "png" || kind === "svg") return this.charts.save(kind);
    if (kind === "csv") {
      if (!this.answer.a.draws) await this.ask({ ...this.question(), bands: true }); // a moving slider's answer lacks some
      return save("osteon-plan.csv", csv(this.answer), "text/csv");
    }
    const reply = await fetch("/live/study", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(this.question()) });
    if (reply.ok) save("osteon-plan.yaml", await reply.text(), "application/yaml"); else this.fail((await reply.json()).error);
  }
}

const start = () => ($("explore") && $("hero") ? (window.osteonExplore = new Explore()) : setTimeout(start, 20));
start();
