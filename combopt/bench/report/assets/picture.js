"use strict";
// Pictures of solutions: tours and routes in the plane, Gantt charts.

/** Draw picture `number` of the block of pictures into `box`; `found` says who found the solution. */
function drawPicture(box, pictures, number, found) {
  const about = pictures.list[number];
  const part = (name, from, to) => pictures[name].subarray(from, to);
  const draw = about.form === "bars" ? drawBars : drawPaths;
  const drawing = draw(about, part);
  const words = `${about.label[0].toUpperCase()}${about.label.slice(1)}. ${found} ${about.note}`;
  box.replaceChildren(drawing, el("p", { class: "muted", text: words.trim() }));
}

/** Tours and routes: one polyline each; points that no path visits are grey, the depot is a square. */
function drawPaths(about, part) {
  const [from, to] = about.points;
  const x = part("x", from, to), y = part("y", from, to);
  const [width, height] = about.extent;
  const edge = 0.02 * Math.max(width, height);
  const drawing = svg("svg", {
    class: "picture", viewBox: `${-edge} ${-edge} ${width + 2 * edge} ${height + 2 * edge}`, role: "img",
    "aria-label": about.label,
  });
  const dots = (a, b) => {
    let out = "";
    for (let i = a; i < b; i++) out += `M${x[i]} ${y[i]}h0`;
    return out;
  };
  const radius = Math.max(width, height) * Math.min(0.012, 0.2 / Math.sqrt(to - from + 1));
  const [loose] = about.starts;
  drawing.append(svg("path", { class: "loose", d: dots(0, loose), "stroke-width": radius }));
  about.starts.slice(0, -1).forEach((start, k) => {
    const end = about.starts[k + 1];
    const places = [];
    for (let i = start; i < end; i++) places.push(`${x[i]},${y[i]}`);
    if (about.closed && places.length) places.push(places[0]);
    const colour = `pen${k % COLOURS}`;
    if (about.legs && places.length) {
      const ends = about.legs === "both" ? [places[0], places.at(-1)] : [places[0]];
      const d = ends.map((end) => `M${about.depot}L${end}`).join("");
      drawing.append(svg("path", { class: `leg ${colour}`, d }));
    }
    drawing.append(svg("polyline", { class: `route ${colour}`, points: places.join(" ") },
      svg("title", { text: about.legs ? `route ${k + 1}` : about.label })));
    drawing.append(svg("path", { class: `dots ${colour}`, d: dots(start, end), "stroke-width": radius }));
  });
  if (about.depot) {
    const [a, b] = about.depot;
    drawing.append(svg("rect", { class: "depot", x: a - radius, y: b - radius, width: 2 * radius, height: 2 * radius },
      svg("title", { text: "depot" })));
  }
  return drawing;
}

/** A Gantt chart: a row for each machine, a bar for each operation, a colour for each job. */
function drawBars(about, part) {
  const [from, to] = about.points;
  const machine = part("machine", from, to), start = part("start", from, to);
  const length = part("length", from, to), job = part("job", from, to);
  const width = 640, left = 30, row = Math.max(6, Math.min(26, 480 / about.machines)), bottom = 26;
  const height = about.machines * row + bottom;
  const unit = (width - left - 8) / Math.max(1, about.makespan);
  const drawing = svg("svg", {
    class: "picture gantt", viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": about.label,
  });
  const every = Math.ceil(14 / row);
  for (let m = 0; m < about.machines; m += every) {
    drawing.append(svg("text", { x: left - 6, y: m * row + row / 2 + 4, "text-anchor": "end", text: m + 1 }));
  }
  for (const value of ticks(0, Math.max(1, about.makespan), 8)) {
    const x = left + value * unit;
    drawing.append(svg("line", { class: "grid", x1: x, x2: x, y1: 0, y2: height - bottom }));
    drawing.append(svg("text", { x, y: height - 8, "text-anchor": "middle", text: tickText(value) }));
  }
  for (let i = 0; i < to - from; i++) {
    const wide = length[i] * unit;
    const place = { x: left + start[i] * unit, y: machine[i] * row + 1, width: Math.max(0.5, wide), height: row - 2 };
    const words = `job ${job[i] + 1}, machine ${machine[i] + 1}: ${start[i]} to ${start[i] + length[i]}`;
    drawing.append(svg("rect", { class: `bar fill${job[i] % COLOURS}`, ...place }, svg("title", { text: words })));
    if (wide > 15 && row > 11) {
      drawing.append(svg("text", {
        class: "inside", x: place.x + wide / 2, y: place.y + row / 2 + 2, "text-anchor": "middle", text: job[i] + 1,
      }));
    }
  }
  return drawing;
}
