// A chart of curves over months as plain SVG: drawn anew in a millisecond or two, so that it follows a slider.
import { escape } from "./words.js";

export const MARGIN = { l: 52, r: 14, t: 8, b: 30 };
const NS = 'xmlns="http://www.w3.org/2000/svg"';

// Round numbers between low and high, about `n` of them.
export function ticks(low, high, n = 6) {
  const raw = (high - low) / n, power = 10 ** Math.floor(Math.log10(raw));
  const step = power * [1, 2, 2.5, 5, 10].find((k) => raw <= power * k * 1.0001);
  const found = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + 1e-9 * step; k++) found.push(k * step);
  return { found, digits: Math.max(0, Math.ceil(-Math.log10(step) - 1e-9) + (step / 10 ** Math.floor(Math.log10(step)) === 2.5 ? 1 : 0)) };
}

// `spec`: x (months), bands [{lower, upper, colour}], lines [{y, colour, dash, width, name}], range [low, high], title,
// zones [{from, to, name, colour}], names [{y, text, colour}]; `c` the colours of text and grid.
export function draw(spec, width, height, c, margin = MARGIN) {
  const { x, range: [low, high] } = spec, end = x.at(-1), w = width - margin.l - margin.r, h = height - margin.t - margin.b;
  const X = (m) => (margin.l + (m / end) * w).toFixed(1), Y = (v) => (margin.t + (1 - (v - low) / (high - low)) * h).toFixed(1);
  const path = (y) => y.map((v, i) => `${i ? "L" : "M"}${X(x[i])} ${Y(v)}`).join("");
  const back = (y) => y.map((v, i) => [x[i], v]).reverse().map(([m, v]) => `L${X(m)} ${Y(v)}`).join("");
  const out = [];
  for (const z of spec.zones ?? []) {
    const top = Math.min(high, z.to), bottom = Math.max(low, z.from);
    if (!(top > bottom)) continue;
    out.push(`<rect x="${margin.l}" width="${w}" y="${Y(top)}" height="${(Y(bottom) - Y(top)).toFixed(1)}" fill="${z.colour}" fill-opacity="0.07"/>`);
    if ((top - bottom) / (high - low) > 0.09) out.push(`<text x="${margin.l + w - 6}" y="${Number(Y(top)) + 15}" text-anchor="end" font-size="11.5" fill="${z.colour}">${z.name}</text>`);
  }
  const { found, digits } = ticks(low, high, h > 260 ? 7 : 5);
  const plain = (v) => v.toFixed(digits).replace("-", "−");
  for (const v of found) out.push(`<path d="M${margin.l} ${Y(v)}h${w}" stroke="${Math.abs(v) < 1e-9 ? c.soft : c.line}"/><text x="${margin.l - 8}" y="${Number(Y(v)) + 4}" text-anchor="end">${plain(v)}</text>`);
  const step = end <= 36 ? 6 : end <= (width < 420 ? 72 : 132) ? 12 : 24;
  for (let m = 0; m <= end + 1e-9; m += step)
    out.push(`<path d="M${X(m)} ${margin.t}v${h}" stroke="${c.line}"/><text x="${X(m)}" y="${margin.t + h + 19}" text-anchor="middle">${m === 0 ? "today" : step < 12 ? `${m} mo` : `${m / 12} y`}</text>`);
  out.push(`<text transform="translate(13 ${margin.t + h / 2}) rotate(-90)" text-anchor="middle" font-size="12">${escape(spec.title)}</text>`);
  for (const b of spec.bands ?? []) if (b.lower) out.push(`<path d="${path(b.upper)}${back(b.lower)}Z" fill="${b.colour}" stroke="none"/>`);
  const dashes = { dash: "8 5", dot: "2 4" };
  for (const l of spec.lines) if (l.y?.length) out.push(`<path class="curve" d="${path(l.y)}" fill="none" stroke="${l.colour}" stroke-width="${l.width ?? 2.6}" stroke-linejoin="round"${l.dash ? ` stroke-dasharray="${dashes[l.dash]}"` : ""}/>`);
  for (const n of spec.names ?? []) out.push(`<text x="${margin.l + w - 4}" y="${Number(Y(n.y)) - 6}" text-anchor="end" font-weight="500" fill="${n.colour}" stroke="${c.card}" stroke-width="3.5" paint-order="stroke">${escape(n.text)}</text>`);
  return `<svg ${NS} width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="Roboto, system-ui, sans-serif" font-size="12" fill="${c.soft}">${out.join("")}</svg>`;
}

// A range that holds all values, with some air, and at least so wide.
export function room(values, least) {
  const all = values.flat().filter(Number.isFinite);
  let low = Math.min(...all), high = Math.max(...all);
  const pad = Math.max((high - low) * 0.08, (least - (high - low)) / 2);
  return [low - pad, high + pad];
}
