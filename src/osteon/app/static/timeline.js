// Treatments over time, under the chart and on its axis. Bars are dragged with a pointer, or moved with the keyboard:
// arrows move by a month (Shift: by a year), + and − change the length, Delete removes.
import { MARGIN } from "./charts.js";
import { escape, when } from "./words.js";

const $ = (id) => document.getElementById(id);
const INTERVALS = ["once", "daily", "weekly", "monthly", "every 3 months", "every 6 months", "every 12 months", "every 28 days", "every 3.5 days"];

export class Timeline {
  constructor(page) {
    this.page = page; this.box = $("timeline");
    this.listen();
  }
  get end() { return this.page.state.plan.years * 12; }
  get width() { return Math.max(60, this.box.clientWidth - MARGIN.l - MARGIN.r); }
  month(x) { return Math.max(0, Math.round(((x - this.box.getBoundingClientRect().left - MARGIN.l) / this.width) * this.end)); }
  length(t) { return t.interval === "once" ? 0 : t.months; }
  label(t) { return this.page.offered[t.therapy]?.label ?? t.therapy; }
  dose(t) { return `${t.dose ? `${t.dose >= 1e5 ? t.dose.toExponential(0).replace("e+", "e") : t.dose} ${t.unit} ` : ""}${t.interval}`; }

  draw() {
    const { state, active } = this.page, lanes = [["a", state.plan.treatments], ...(state.other ? [["b", state.other]] : [])];
    this.bars = [];
    const html = lanes.map(([which, list]) => {
      const rows = list.map((t) => {
        const id = this.bars.push([t, which]) - 1;
        const left = (t.start_month / this.end) * 100, wide = (this.length(t) / this.end) * 100;
        const off = t.start_month >= this.end, once = t.interval === "once";
        return `<div class="tl-row"><div class="tl-bar ${which}${once ? " once" : ""}${t === this.page.selected ? " on" : ""}${off ? " off" : ""}" data-bar="${id}" tabindex="0" role="button"
          aria-label="${escape(this.label(t))}, ${escape(this.dose(t))}, ${once ? `at month ${t.start_month}` : `months ${t.start_month} to ${t.start_month + t.months}`}${state.other ? `, plan ${which.toUpperCase()}` : ""}. Arrow keys move it, plus and minus change its length, Delete removes it."
          style="left:${Math.min(left, 100)}%;width:${once ? 0 : Math.max(0.5, Math.min(wide, 100 - left))}%"><span class="tl-name">${escape(this.label(t))}<small> ${escape(this.dose(t))}</small></span>${once ? "" : '<span class="tl-end" data-end aria-hidden="true"></span>'}</div></div>`;
      }).join("");
      const hint = `<div class="tl-hint">${which === "a" && !state.other ? "No treatment yet: drag a card here, or press Add" : `Plan ${which.toUpperCase()}: no treatment`}</div>`;
      const tag = state.other ? `<button type="button" class="tl-tag ${which}" data-lane="${which}" aria-pressed="${which === active}" aria-label="Plan ${which.toUpperCase()}: cards are added here">${which.toUpperCase()}</button>` : "";
      return `<div class="tl-lane ${which}${which === active && state.other ? " active" : ""}" data-drop="${which}">${tag}<div class="tl-track">${rows || hint}</div></div>`;
    }).join("");
    this.box.innerHTML = html;
    this.edit();
  }

  focus(t) {
    const id = this.bars.findIndex(([one]) => one === t);
    this.box.querySelector(`[data-bar="${id}"]`)?.focus({ preventScroll: false });
  }

  edit() {
    const t = this.page.selected, box = $("editor");
    const found = t && this.bars.find(([one]) => one === t);
    box.hidden = !found;
    if (!found) { box.innerHTML = ""; return; }
    const field = (name, label, value, step, unit, min) => `<label>${label}<span><input type="number" data-field="${name}" value="${value}" step="${step}" min="${min}" aria-label="${label} of ${escape(this.label(t))}"> ${unit}</span></label>`;
    const options = [...new Set([...INTERVALS, t.interval])].map((i) => `<option${i === t.interval ? " selected" : ""}>${i}</option>`).join("");
    box.innerHTML = `<strong>${escape(this.label(t))}</strong>${field("start_month", "Start", t.start_month, 1, "month", 0)}${t.interval === "once" ? "" : field("months", "For", t.months, 1, "months", 0.25)}
      ${t.dose !== null ? field("dose", "Dose", t.dose, "any", escape(t.unit), 0) : ""}
      <label>How often<span><select data-field="interval" aria-label="How often ${escape(this.label(t))}">${options}</select></span></label>
      <button type="button" class="btn" data-remove>Remove</button>`;
  }

  update(t, change, redraw = true) {
    Object.assign(t, change);
    t.start_month = Math.min(Math.max(0, t.start_month), 348);
    t.months = Math.min(Math.max(t.interval === "once" ? 0.25 : 1, t.months), 360);
    if (redraw) { this.draw(); }
    this.page.changed();
  }
  remove(t) {
    for (const list of [this.page.state.plan.treatments, this.page.state.other ?? []]) { const i = list.indexOf(t); if (i >= 0) list.splice(i, 1); }
    this.page.selected = null; this.draw(); this.page.changed();
  }
  select(id) {
    const [t, which] = this.bars[id];
    const changed = this.page.selected !== t;
    this.page.selected = t; if (this.page.state.other) this.page.active = which;
    if (changed) { this.draw(); this.focus(t); }
    return t;
  }

  listen() {
    const box = this.box;
    box.addEventListener("pointerdown", (e) => {
      const bar = e.target.closest("[data-bar]"), lane = e.target.closest("[data-lane]");
      if (lane) { this.page.active = lane.dataset.lane; this.draw(); return; }
      if (!bar || e.button) return;
      const ending = Boolean(e.target.closest("[data-end]")), t = this.select(Number(bar.dataset.bar)), at = e.clientX, was = { start: t.start_month, months: t.months };
      const move = (m) => {
        const by = Math.round(((m.clientX - at) / this.width) * this.end);
        const change = ending ? { months: Math.max(1, was.months + by) } : { start_month: Math.max(0, Math.min(was.start + by, this.end - 1)) };
        if (Object.entries(change).some(([k, v]) => t[k] !== v)) { this.update(t, change); }
      };
      const up = () => { removeEventListener("pointermove", move); removeEventListener("pointerup", up); removeEventListener("pointercancel", up); this.focus(t); };
      addEventListener("pointermove", move); addEventListener("pointerup", up); addEventListener("pointercancel", up);
      e.preventDefault();
    });
    box.addEventListener("keydown", (e) => {
      const bar = e.target.closest("[data-bar]");
      if (!bar) return;
      const t = this.bars[Number(bar.dataset.bar)][0], sign = { ArrowLeft: -1, ArrowDown: -1, ArrowRight: 1, ArrowUp: 1 }[e.key];
      if (sign) {
        this.page.selected = t;
        this.update(t, { start_month: t.start_month + sign * (e.shiftKey ? 12 : 1) });
        this.focus(t); e.preventDefault();
      } else if ("+=-−".includes(e.key)) {
        this.page.selected = t;
        this.update(t, { months: t.months + (e.key === "+" || e.key === "=" ? 1 : -1) });
        this.focus(t); e.preventDefault();
      } else if (e.key === "Delete" || e.key === "Backspace") { this.remove(t); e.preventDefault(); }
      else if (e.key === "Enter" || e.key === " ") { this.select(Number(bar.dataset.bar)); $("editor").querySelector("input")?.focus(); e.preventDefault(); }
    });
    $("editor").addEventListener("input", (e) => {
      const name = e.target.dataset.field, t = this.page.selected;
      if (!name || !t) return;
      const value = name === "interval" ? e.target.value : Number(e.target.value);
      if (name !== "interval" && !(e.target.value !== "" && Number.isFinite(value) && value >= 0 && (name !== "dose" || value > 0))) return;
      const at = this.page.selected;
      if (name === "interval") { this.update(t, { interval: value }); $("editor").querySelector('[data-field="interval"]').focus(); }
      else { Object.assign(at, { [name]: value }); this.update(t, {}, false); this.redrawBars(); }
    });
    $("editor").addEventListener("click", (e) => { if (e.target.closest("[data-remove]")) this.remove(this.page.selected); });
    document.addEventListener("dragstart", (e) => {
      const card = e.target.closest?.("[data-therapy]");
      if (card) { e.dataTransfer.setData("text/plain", card.dataset.therapy); e.dataTransfer.effectAllowed = "copy"; this.box.classList.add("ready"); }
    });
    document.addEventListener("dragend", () => this.box.classList.remove("ready", "over"));
    box.addEventListener("dragover", (e) => { e.preventDefault(); e.dataTransfer.dropEffect = "copy"; box.classList.add("over"); });
    box.addEventListener("dragleave", () => box.classList.remove("over"));
    box.addEventListener("drop", (e) => {
      e.preventDefault(); box.classList.remove("over", "ready");
      const therapy = e.dataTransfer.getData("text/plain");
      if (!this.page.offered[therapy] || !this.page.state) return;
      const lane = e.target.closest("[data-drop]");
      if (lane && this.page.state.other) this.page.active = lane.dataset.drop;
      this.page.add(therapy, Math.min(this.month(e.clientX), Math.max(0, this.end - 1)));
    });
  }
  redrawBars() { const open = $("editor").innerHTML, focus = document.activeElement; const keep = this.edit; this.edit = () => {}; this.draw(); this.edit = keep; focus?.focus?.(); return open; }
}
export { when };
