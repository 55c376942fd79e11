// The balance: a see-saw for each kind of bone, what is removed on the left, what is built on the right. The beam leans
// to the heavier side; below it stands how much of this bone is left.
import { when } from "./words.js";

const $ = (id) => document.getElementById(id);
const KINDS = [["trabecular", "Spongy bone", "inside vertebrae and the ends of long bones"], ["cortical", "Dense shell", "the outer wall of every bone"]];
const LEAN = 17; // degrees at most

export class Balance {
  constructor(page) {
    this.page = page;
    $("balance").innerHTML = KINDS.map(([k, name, where]) => `<figure class="seesaw" data-kind="${k}">
      <figcaption><b>${name}</b><span>${where}</span></figcaption>
      <svg viewBox="0 0 320 168" role="img" aria-label="${name}">
        <text x="56" y="16" class="bl down">removed</text><text x="264" y="16" class="bl up" text-anchor="end">built</text>
        <path d="M160 92 L142 146 H178 Z" class="stand"/>
        <g class="ghost"><line x1="52" y1="92" x2="268" y2="92"/></g>
        <g class="beam"><rect x="48" y="88.5" width="224" height="7" rx="3.5"/><g class="load down"><circle cx="76" cy="88" r="10"/></g><g class="load up"><circle cx="244" cy="88" r="10"/></g></g>
        <circle cx="160" cy="92" r="6" class="pin"/>
        <rect x="48" y="152" width="224" height="8" rx="4" class="well"/><rect x="48" y="152" width="200" height="8" rx="4" class="left"/>
      </svg><p class="seesaw-words"></p></figure>`).join("");
    $("scrub").addEventListener("input", () => page.answer && page.show((Number($("scrub").value) / 100) * this.end));
    $("play").addEventListener("click", () => this.play());
  }
  get end() { return this.page.answer.a.months.at(-1); }

  at(values) {
    const months = this.page.answer.a.months, m = Math.min(this.page.view.month, this.end);
    let i = months.findIndex((x) => x >= m);
    if (i <= 0) return values[Math.max(i, 0)];
    const share = (m - months[i - 1]) / (months[i] - months[i - 1]);
    return values[i - 1] * (1 - share) + values[i] * share;
  }

  draw() {
    const { a, b } = this.page.answer, own = this.page.active === "b" && b ? b : a, plan = own.plan, said = [];
    for (const [kind, name] of KINDS) {
      const box = document.querySelector(`.seesaw[data-kind="${kind}"]`);
      const up = this.at(plan.series[`formation_${kind}`].value), down = this.at(plan.series[`resorption_${kind}`].value);
      const rate = this.at(plan.series[`gain_${kind}`].value), volume = this.at(plan.series[`${kind}_bone_volume`].value);
      const lean = (f, r) => LEAN * Math.tanh(2.2 * Math.log(Math.max(f, 0.02) / Math.max(r, 0.02)));
      const usual = lean(this.at(own.untreated.series[`formation_${kind}`].value), this.at(own.untreated.series[`resorption_${kind}`].value));
      box.querySelector(".beam").style.transform = `rotate(${lean(up, down)}deg)`;
      box.querySelector(".ghost").style.transform = `rotate(${usual}deg)`;
      box.querySelector(".ghost").style.opacity = Math.abs(usual - lean(up, down)) > 0.6 ? 1 : 0;
      for (const [side, value] of [["down", down], ["up", up]]) {
        const r = 15 * Math.sqrt(Math.max(value, 0.01)), circle = box.querySelector(`.load.${side} circle`);
        circle.setAttribute("r", Math.min(r, 34)); circle.setAttribute("cy", 88 - Math.min(r, 34));
      }
      box.querySelector(".left").setAttribute("width", Math.max(0, Math.min(1.15, volume)) * 224 / 1.15);
      const ratio = up / down, words = Math.abs(rate) < 0.15 ? "in balance" : rate > 0 ? `gaining ${rate.toFixed(1)} % a year` : `losing ${Math.abs(rate).toFixed(1)} % a year`;
      const more = ratio > 1.03 ? `${ratio.toFixed(ratio > 2 ? 1 : 2)} times as much built as removed` : ratio < 0.97 ? `${(1 / ratio).toFixed(1 / ratio > 2 ? 1 : 2)} times as much removed as built` : "about as much built as removed";
      box.querySelector(".seesaw-words").innerHTML = `<b>${words[0].toUpperCase() + words.slice(1)}</b>: ${more}; ${Math.round(100 * volume)} % of the bone of youth.`;
      box.querySelector("svg").setAttribute("aria-label", `${name}: built ${up.toFixed(2)}, removed ${down.toFixed(2)} of the rate in youth; ${words}`);
      said.push([name.toLowerCase(), rate, words]);
    }
    const month = Math.min(this.page.view.month, this.end);
    $("when").textContent = when(month);
    if (document.activeElement !== $("scrub")) $("scrub").value = (100 * month) / this.end;
    $("scrub").style.setProperty("--at", `${(100 * month) / this.end}%`);
    $("scrub").setAttribute("aria-valuetext", when(month));
    $("balance-words").textContent = `${month < 0.25 ? "Now" : `After ${when(month)}`} both kinds together ${this.whole(plan)}.${this.page.treatments("a").length || b ? " The dotted beam is the same person untreated." : ""}`;
  }

  whole(plan) {
    const change = this.at(plan.pct.total_hip_bmd.value), past = this.page.view.month < 0.25;
    if (past) return "decide where bone density goes from here";
    return Math.abs(change) < 0.3 ? "have left bone density at the hip about as it was" : `have ${change > 0 ? "raised" : "lowered"} bone density at the hip by ${Math.abs(change).toFixed(1)} %`;
  }

  play() {
    if (this.playing) { cancelAnimationFrame(this.playing); this.playing = null; $("play").textContent = "▶"; $("play").setAttribute("aria-label", "Play"); return; }
    if (!this.page.answer) return;
    const from = this.page.view.month >= this.end - 0.5 ? 0 : this.page.view.month, begin = performance.now(), length = 9000;
    $("play").textContent = "❚❚"; $("play").setAttribute("aria-label", "Pause");
    const step = (now) => {
      const month = from + ((now - begin) / length) * this.end;
      this.page.show(Math.min(month, this.end));
      if (month < this.end) this.playing = requestAnimationFrame(step); else { this.playing = requestAnimationFrame(() => {}); this.play(); }
    };
    this.playing = requestAnimationFrame(step);
  }
}
