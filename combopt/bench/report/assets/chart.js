"use strict";
// Line charts as SVG: linear or logarithmic axes, steps, a legend that hides series, values under a cursor.

const DASHES = ["", "7 3", "2 2.5", "8 3 2 3", "4 2", "12 3", "1 3", "9 3 2 3 2 3"];
const COLOURS = 8;
const ZERO_ROOM = 22; // pixels between 0 and the least value of a logarithmic axis

/** Class and dashes of the series of a configuration: colours repeat after 8, pairs of colour and dash after 64. */
function pen(index, more = "") {
  const dash = (index + Math.floor(index / COLOURS)) % DASHES.length;
  return { class: `pen${index % COLOURS} ${more}`, "stroke-dasharray": DASHES[dash] || null };
}

/** Round numbers from `low` to `high`. */
function ticks(low, high, wanted) {
  const raw = (high - low) / Math.max(1, wanted);
  const unit = 10 ** Math.floor(Math.log10(raw));
  const step = unit * [1, 2, 5, 10].find((factor) => factor * unit >= raw * 0.999);
  const out = [];
  for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k++) out.push(k * step);
  return out;
}

/** Powers of ten from `low` to `high`, with 2 and 5 between them where there are few. */
function logTicks(low, high, wanted) {
  const from = Math.floor(Math.log10(low)), to = Math.ceil(Math.log10(high));
  const every = Math.max(1, Math.ceil((to - from) / wanted));
  const factors = to - from <= 2 ? [1, 2, 5] : [1];
  const out = [];
  for (let k = from; k <= to; k++) {
    if ((k - from) % every) continue;
    for (const factor of factors) out.push(factor * 10 ** k);
  }
  return out.filter((value) => value >= low * 0.999 && value <= high * 1.001);
}

/** A tick's text: as short as it can be. */
function tickText(value) {
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (size >= 1e6 || size < 1e-4) return value.toExponential(2).replace(/\.?0*e\+?/, "e");
  return String(Number(value.toPrecision(6)));
}

class LineChart {
  /**
   * box    the element to fill
   * label  what is drawn, for screen readers
   * series [{name, pen, x, y, thin}]: x ascending; `pen` is the number of its configuration
   * x, y   {label, log, zero, low, high, show, tick}: `show` and `tick` write a value; limits are those of the data
   *        where not given; `zero` leaves room for 0 at the low end of a logarithmic axis
   * step   whether a value holds until the next x
   * lines  [{y, name}]: horizontal lines
   */
  constructor(box, spec) {
    Object.assign(this, { box, hidden: new Set(), lines: [], ...spec });
    this.at = null;
    this.frame = el("div", { class: "frame" });
    this.legend = el("ul", { class: "legend" });
    this.status = el("p", { class: "readout muted", role: "status" });
    box.replaceChildren(this.frame, this.status, this.legend);
    this.makeLegend();
    this.hint();
    new ResizeObserver(() => this.width === Math.floor(this.frame.clientWidth) || this.draw()).observe(this.frame);
  }

  hint() {
    this.status.textContent = "Point at the chart, or focus it and use the arrow keys, to read values.";
  }

  makeLegend() {
    const names = new Map();
    this.series.forEach((line) => names.has(line.name) || names.set(line.name, line.pen));
    this.values = new Map();
    for (const [name, index] of names) {
      const swatch = svg("svg", { width: 30, height: 10, "aria-hidden": "true" },
        svg("line", { x1: 1, x2: 29, y1: 5, y2: 5, ...pen(index) }));
      const value = el("output", { class: "value" });
      const button = el("button", { type: "button", "aria-pressed": "true", onclick: () => {
        if (!this.hidden.delete(name)) this.hidden.add(name);
        button.setAttribute("aria-pressed", String(!this.hidden.has(name)));
        this.draw();
      } }, swatch, el("span", { text: name }), value);
      this.values.set(name, value);
      this.legend.append(el("li", {}, button));
    }
  }

  /** Limits of an axis; a logarithmic one starts at the least positive value. */
  limits(axis, values, extra) {
    let low = Infinity, high = -Infinity;
    const take = (value) => {
      if (!Number.isFinite(value) || (axis.log && value <= 0)) return;
      low = Math.min(low, value);
      high = Math.max(high, value);
    };
    for (const list of values) for (let i = 0; i < list.length; i++) take(list[i]);
    extra.forEach(take);
    low = axis.low ?? low;
    high = axis.high ?? high;
    if (!(low <= high)) [low, high] = axis.log ? [0.1, 1] : [0, 1];
    if (low === high && axis.log) [low, high] = [low / 2, high * 2];
    if (low === high) [low, high] = [low - Math.abs(low) * 0.01 - 1e-9, high + Math.abs(high) * 0.01 + 1e-9];
    if (!axis.log && axis.low === undefined) low -= 0.03 * (high - low);
    if (!axis.log && axis.high === undefined) high += 0.03 * (high - low);
    return [low, high];
  }

  /** A map from values to places between `from` and `to`; what is outside is moved to the edge and a bit beyond. */
  scale(axis, [low, high], from, to) {
    const f = axis.log ? (value) => Math.log10(Math.max(value, low / 2)) : (value) => value;
    const a = f(low), b = f(high);
    const begin = axis.zero ? from + Math.sign(to - from) * ZERO_ROOM : from;
    return (value) => {
      if (axis.zero && value < low) return from;
      const share = Math.min(1.05, Math.max(-0.05, (f(value) - a) / (b - a)));
      return Math.round((begin + share * (to - begin)) * 10) / 10;
    };
  }

  draw() {
    const width = Math.floor(this.frame.clientWidth);
    if (width < 50) return;
    this.width = width;
    const height = Math.round(Math.min(360, Math.max(230, width * 0.5)));
    const shown = this.series.filter((line) => !this.hidden.has(line.name));
    this.xLimits = this.limits(this.x, shown.map((line) => line.x), []);
    const yLimits = this.limits(this.y, shown.map((line) => line.y), this.lines.map((line) => line.y));
    const marks = (axis, [low, high], wanted) => [
      ...(axis.zero ? [0] : []), ...(axis.log ? logTicks : ticks)(low, high, wanted)];
    const yMarks = marks(this.y, yLimits, 6);
    const write = (axis) => axis.tick ?? tickText;
    const left = 16 + Math.max(...yMarks.map((value) => write(this.y)(value).length), 1) * 7;
    const box = { left, right: width - 10, top: 22, bottom: height - 38 };
    this.plot = box;
    this.toX = this.scale(this.x, this.xLimits, box.left, box.right);
    const toY = this.scale(this.y, yLimits, box.bottom, box.top);
    const clip = `clip${LineChart.made++}`;
    const drawing = svg("svg", {
      width, height, viewBox: `0 0 ${width} ${height}`, tabindex: 0, role: "img", "aria-label": this.label,
      onpointermove: (event) => this.point(event), onpointerdown: (event) => this.point(event),
      onpointerleave: () => this.leave(), onkeydown: (event) => this.key(event),
    });
    const area = { x: box.left, y: box.top - 2, width: box.right - box.left, height: box.bottom - box.top + 4 };
    drawing.append(svg("clipPath", { id: clip }, svg("rect", area)));
    const grid = svg("g", { class: "axis" });
    for (const value of yMarks) {
      grid.append(svg("line", { class: "grid", x1: box.left, x2: box.right, y1: toY(value), y2: toY(value) }));
      grid.append(svg("text", { x: box.left - 7, y: toY(value) + 4, "text-anchor": "end", text: write(this.y)(value) }));
    }
    for (const value of marks(this.x, this.xLimits, Math.max(4, width / 90))) {
      grid.append(svg("line", { class: "grid", x1: this.toX(value), x2: this.toX(value), y1: box.top, y2: box.bottom }));
      grid.append(svg("text", { x: this.toX(value), y: box.bottom + 17, "text-anchor": "middle", text: write(this.x)(value) }));
    }
    grid.append(svg("text", { x: box.right, y: height - 4, "text-anchor": "end", text: this.x.label }));
    grid.append(svg("text", { x: 2, y: 13, text: this.y.label }));
    drawing.append(grid);
    const curves = svg("g", { "clip-path": `url(#${clip})` });
    for (const { y, name } of this.lines) {
      curves.append(svg("line", { class: "level", x1: box.left, x2: box.right, y1: toY(y), y2: toY(y) },
        svg("title", { text: name })));
    }
    for (const line of shown) {
      curves.append(svg("path", { d: this.path(line, toY), ...pen(line.pen, line.thin ? "curve thin" : "curve") }));
    }
    this.cursor = svg("line", { class: "cursor", y1: box.top, y2: box.bottom, visibility: "hidden" });
    drawing.append(curves, this.cursor);
    const focused = document.activeElement !== null && this.frame.contains(document.activeElement);
    this.frame.replaceChildren(drawing);
    if (focused) drawing.focus();
    if (this.at !== null) this.read(this.at);
  }

  path({ x, y }, toY) {
    let out = "", drawn = false;
    for (let i = 0; i < x.length; i++) {
      if (!Number.isFinite(y[i])) {
        drawn = false;
        continue;
      }
      const a = this.toX(x[i]), b = toY(y[i]);
      out += !drawn ? `M${a} ${b}` : this.step ? `H${a}V${b}` : `L${a} ${b}`;
      drawn = true;
    }
    return out;
  }

  point(event) {
    const { left } = this.frame.getBoundingClientRect();
    this.show((event.clientX - left - this.plot.left) / (this.plot.right - this.plot.left));
  }

  key(event) {
    const moves = { ArrowLeft: -0.02, ArrowRight: 0.02, Home: -1, End: 1 };
    if (event.key === "Escape") this.leave();
    if (!(event.key in moves)) return;
    event.preventDefault();
    this.show((this.share ?? 0) + moves[event.key]);
  }

  show(share) {
    this.share = Math.min(1, Math.max(0, share));
    const [low, high] = this.xLimits;
    this.read(this.x.log ? low * (high / low) ** this.share : low + this.share * (high - low));
  }

  /** Values of all series at x, into the legend. */
  read(x) {
    this.at = x;
    const place = this.toX(x);
    fill(this.cursor, { x1: place, x2: place, visibility: "visible" }, []);
    const best = new Map();
    for (const line of this.series) {
      if (line.thin || this.hidden.has(line.name)) continue;
      const i = upper(line.x, x) - 1;
      if (i < 0) continue;
      best.set(line.name, [...(best.get(line.name) ?? []), line.y[i]]);
    }
    for (const [name, output] of this.values) {
      const found = (best.get(name) ?? []).filter(Number.isFinite);
      output.textContent = this.several(found);
    }
    this.status.textContent = `At ${this.x.show(x)}:`;
  }

  /** The values of the series of one name: all if they are few, else the least and the largest. */
  several(values) {
    if (values.length <= 3) return values.map(this.y.show).join(", ");
    return `${this.y.show(Math.min(...values))} to ${this.y.show(Math.max(...values))}`;
  }

  leave() {
    this.at = null;
    this.cursor.setAttribute("visibility", "hidden");
    for (const output of this.values.values()) output.textContent = "";
    this.hint();
  }
}
LineChart.made = 0;

/** How many of the ascending values are at most x. */
function upper(values, x) {
  let low = 0, high = values.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (values[middle] <= x) low = middle + 1;
    else high = middle;
  }
  return low;
}
