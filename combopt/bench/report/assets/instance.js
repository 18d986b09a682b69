"use strict";
// The view of one instance: facts, best runs, convergence, picture.

async function openInstance(digest) {
  const i = data.digests.indexOf(digest);
  if (i < 0) {
    location.hash = "#instances";
    return;
  }
  overview.hidden = true;
  single.hidden = false;
  document.body.classList.add("single");
  place("instance-name").textContent = data.names[i];
  const link = (to, text) => (data.digests[to] ? el("a", { href: `#instance=${data.digests[to]}` }, text) : "");
  place("steps").replaceChildren(link(i - 1, "\u2039 previous"), link(i + 1, "next \u203a"));
  facts(place("instance-facts"), [
    ["Kind", `${kindOf(i)}, ${data.maximise[i] ? "maximise" : "minimise"}`],
    ["Size", data.sizes[i]],
    ...data.conventions[i].map((text, k) => [k ? "" : "Read as", text]),
    ["Reference", referenceText(i)],
    ["Best known", exact(data.best[i])],
    ["SHA-256", data.digests[i] + "\u2026"],
  ]);
  const runs = [];
  for (let r = 0; r < data.instance.length; r++) if (data.instance[r] === i) runs.push(r);
  showBest(i, runs);
  const { instance, kind, ...columns } = RUN;
  new DataTable(place("instance-runs"), {
    caption: "Runs of this instance",
    columns: Object.values(columns).filter((column) => column !== RUN.messages || runs.some((r) => data.message[r])),
  }).setRows(runs);
  window.scrollTo(0, 0);
  place("instance-name").focus({ preventScroll: true });
  single.dataset.open = digest;
  traces ??= await unpack("traces");
  pictures ??= await unpack("pictures");
  if (single.dataset.open !== digest) return; // another one was opened meanwhile
  showConvergence(i, runs);
  showPicture(i);
  single.dataset.ready = digest;
}

function referenceText(i) {
  if (!Number.isFinite(data.reference[i])) return "none";
  const source = data.sources[i] ? ` (${data.sources[i]})` : "";
  return `${exact(data.reference[i])}, ${data.proven[i] ? "proven optimal" : "best known"}${source}`;
}

function showBest(i, runs) {
  const width = head.configurations.length;
  const rows = [...new Set(runs.map((r) => data.configuration[r]))];
  const better = (a, b) => data.answered[b] - data.answered[a] || data.gap[a] - data.gap[b] || data.seconds[a] - data.seconds[b];
  const best = new Map(rows.map((c) => [c, runs.filter((r) => data.configuration[r] === c).sort(better)[0]]));
  const of = (column) => ({ ...column, value: (c) => column.value(best.get(c)), show: (c) => column.show(best.get(c)) });
  const tally = (name, list) => ({
    name, number: true, value: (c) => cells[list][i * width + c], show: (c) => count(cells[list][i * width + c]),
    mark: (c) => (list === "failed" && cells.failed[i * width + c] ? "failed" : ""),
  });
  new DataTable(place("instance-best"), {
    caption: "Best run of each configuration", size: 0,
    columns: [
      { name: "configuration", value: (c) => head.configurations[c], show: labelled },
      of(RUN.objective), of(RUN.gap), of(RUN.bound), of(RUN.status), of(RUN.seconds), of(RUN.integral),
      { ...tally("mean gap %", "gap"), show: (c) => percent(cells.gap[i * width + c]) },
      tally("runs", "runs"), tally("failed", "failed"),
    ],
  }).setRows(rows);
}

function showConvergence(i, runs) {
  const curves = runs.map((r) => [r, traces.number.indexOf(r)]).filter(([, k]) => k >= 0);
  const tools = place("convergence-tools"), box = place("convergence-chart");
  tools.replaceChildren();
  if (!curves.length) {
    const text = runs.some((r) => data.points[r])
      ? "The traces of this instance were left out, to keep this file small." : "No run of this instance has a trace.";
    box.replaceChildren(el("p", { class: "muted", text }));
    return;
  }
  const reference = data.best[i];
  const options = [["objective", "objective"]];
  if (Number.isFinite(reference)) options.push(["gap", "primal gap (logarithmic)"]);
  const bounded = curves.some(([, k]) => traces.bound.subarray(traces.start[k], traces.start[k + 1]).some(Number.isFinite));
  if (bounded) options.push(["bound", "objective and dual bound"]);
  const shown = choice("Show", options, () => draw());
  if (options.length > 1) tools.append(shown.node);
  const draw = () => {
    const what = shown.select.value;
    const measure = what === "gap" ? (value) => primalGap(value, reference) : (value) => value;
    const series = [];
    const add = (r, k, column, thin) => {
      const from = traces.start[k], to = traces.start[k + 1];
      const x = [...traces.seconds.subarray(from, to)], y = [...column.subarray(from, to)].map(measure);
      x.push(Math.max(data.seconds[r], x[x.length - 1]));
      y.push(y[y.length - 1]);
      series.push({ name: head.configurations[data.configuration[r]], pen: data.configuration[r], x, y, thin });
    };
    for (const [r, k] of curves) {
      add(r, k, traces.objective, false);
      if (what === "bound") add(r, k, traces.bound, true);
    }
    const ends = series.map((line) => line.x[line.x.length - 1]);
    const first = leastPositive(series.map((line) => line.x));
    const least = leastPositive(series.map((line) => line.y));
    const log = first < Math.max(...ends) / 50;
    const gap = what === "gap";
    new LineChart(box, {
      label: `${what} over time`, step: true, series,
      lines: gap || !Number.isFinite(reference) ? [] : [{ y: reference, name: `best known ${exact(reference)}` }],
      x: { label: "seconds" + (log ? " (logarithmic)" : ""), log, low: log ? undefined : 0, show: (x) => `${fixed(x, 2)} s` },
      y: gap
        ? {
          label: "primal gap (logarithmic)", log: true, zero: true,
          low: Number.isFinite(least) ? Math.max(1e-6, least) : 1e-4,
          tick: (y) => `${tickText(100 * y)} %`, show: (y) => `${percent(y)} %`,
        }
        : { label: "objective", show: (y) => String(Number(y.toPrecision(7))) },
    });
  };
  draw();
}

/** Primal gap of Berthold (2013): |v - r| / max(|v|, |r|), 0 where both are 0, 1 where the signs differ. */
function primalGap(value, reference) {
  if (!Number.isFinite(value) || value * reference < 0) return 1;
  return value === reference ? 0 : Math.abs(value - reference) / Math.max(Math.abs(value), Math.abs(reference));
}

function showPicture(i) {
  const number = pictures.list.findIndex((about) => about.instance === i);
  const why = pictures.reasons[pictures.why[i]];
  place("picture-part").hidden = number < 0 && !why;
  if (number >= 0) {
    const r = pictures.list[number].run;
    const found = `Found by ${head.configurations[data.configuration[r]]} with seed ${data.seed[r]}: ${exact(data.objective[r])}.`;
    drawPicture(place("picture"), pictures, number, found);
  }
  else place("picture").replaceChildren(el("p", { class: "muted", text: why }));
}
