"use strict";
// The overview of a kind of instances: summary, profiles, gap over time, pairs. All of it was computed beforehand.

const head = json("head");
const FORMATS = { count, percent, seconds };
const overview = document.getElementById("overview");
const single = document.getElementById("instance");
const place = (id) => document.getElementById(id);
const known = (value) => (value === "inf" ? Infinity : value ?? NaN);

let data = null;   // columns of all runs, names of instances, messages
let traces = null; // unpacked when the first instance is opened
let pictures = null;

/** The name of a configuration with its colour and dashes. */
function labelled(configuration) {
  const swatch = svg("svg", { class: "swatch", width: 22, height: 8, "stroke-width": 2.4, "aria-hidden": "true" },
    svg("line", { x1: 0, x2: 22, y1: 4, y2: 4, ...pen(configuration) }));
  return el("span", {}, swatch, head.configurations[configuration]);
}

function facts(node, pairs) {
  node.replaceChildren(...pairs.flatMap(([name, value]) => [el("dt", { text: name }), el("dd", {}, value)]));
}

const kindChoice = choice("Kind", head.groups.map((group, i) => [i, group.name]), () => showGroup());
if (head.groups.length > 1) place("kinds").append(kindChoice.node);
const group = () => head.groups[Number(kindChoice.select.value)];

const summaryFilter = filterBox("Filter configurations", () => showSummary());
place("summary-tools").append(summaryFilter);
const summary = new DataTable(place("summary-table"), {
  caption: "Summary for each configuration",
  size: 0,
  none: "No configuration fits the filter.",
  columns: [
    {
      name: "configuration", title: "Solver with its options",
      value: (row) => head.configurations[group().summary.configuration[row]],
      show: (row) => labelled(group().summary.configuration[row]),
    },
    ...head.measures.map(({ key, name, title, format, best, alarm }) => ({
      name, title, number: true,
      value: (row) => known(group().summary[key][row]),
      show: (row) => FORMATS[format](known(group().summary[key][row])),
      mark: (row) => {
        const value = known(group().summary[key][row]);
        if (alarm) return value > 0 ? "failed" : "";
        return best && group().complete && distinctBest(group().summary[key], best, value) ? "best" : "";
      },
    })),
  ],
});

/** Whether a value is the best of a column in which not all are equal. */
function distinctBest(values, best, value) {
  const finite = values.filter((other) => Number.isFinite(known(other)));
  if (!Number.isFinite(value) || finite.length < 2) return false;
  const top = best === "low" ? Math.min(...finite) : Math.max(...finite);
  return value === top && finite.some((other) => other !== top);
}

function showSummary() {
  const { summary: rows } = group();
  const fits = matcher(summaryFilter);
  const numbers = rows.configuration.map((_, i) => i);
  summary.setRows(fits ? numbers.filter((i) => fits(head.configurations[rows.configuration[i]].toLowerCase())) : numbers);
}

const profileChoice = choice("Compare", head.groups[0].profiles.map(({ name }, i) => [i, name]), () => showProfile());
const courseChoice = choice("Show", [["mean", "mean"], ["median", "median"]], () => showCourse());
const pairsChoice = choice("By", head.groups[0].pairs.map(({ name }, i) => [i, name]), () => showPairs());
place("profile-tools").append(profileChoice.node);
place("course-tools").append(courseChoice.node);
place("pairs-tools").append(pairsChoice.node);

const remark = (text) => el("p", { class: "muted", text });

function curves({ x, curves }, key) {
  return curves.map((curve) => ({
    name: head.configurations[curve.configuration], pen: curve.configuration, x, y: curve[key].map(known),
  }));
}

function showProfile() {
  const profile = group().profiles[Number(profileChoice.select.value)];
  const box = place("profile-chart");
  if (profile.ratio && !profile.problems) {
    box.replaceChildren(remark("No problem was run by all configurations. Choose a kind of instances."));
    return;
  }
  if (!profile.x.length) {
    box.replaceChildren(remark("No run reached the target."));
    return;
  }
  const text = (y) => `${(100 * y).toFixed(1)} %`;
  const x = profile.ratio
    ? { label: "factor of the best (logarithmic)", show: (value) => `factor ${factor(value)}` }
    : { label: "seconds (logarithmic)", show: (value) => `${fixed(value, 2)} s` };
  new LineChart(box, {
    label: `Performance profile: ${profile.name}`, step: true, series: curves(profile, "y"), x: { ...x, log: true },
    y: {
      label: profile.ratio ? `share of ${count(profile.problems)} problems` : "share of runs", low: 0, high: 1,
      tick: (y) => `${Math.round(100 * y)} %`, show: text,
    },
  });
}

function showCourse() {
  const key = courseChoice.select.value;
  const series = curves(group().course, key);
  const least = leastPositive(series.map((line) => line.y));
  new LineChart(place("course-chart"), {
    label: `${key} primal gap over time`, step: true, series,
    x: { label: "seconds (logarithmic)", log: true, show: (x) => `${fixed(x, 2)} s` },
    y: {
      label: `${key} primal gap (logarithmic)`, log: true, zero: true,
      low: Math.min(0.1, Math.max(least, 1e-6)), high: 1,
      tick: (y) => `${tickText(100 * y)} %`, show: (y) => `${percent(y)} %`,
    },
  });
}

function showPairs() {
  const order = group().summary.configuration;
  const measure = group().pairs[Number(pairsChoice.select.value)];
  if (!measure) {
    place("pairs-table").replaceChildren(remark("With so many configurations this is compared over all kinds only."));
    return;
  }
  const found = new Map(measure.pairs.flatMap((pair) => [[`${pair.a} ${pair.b}`, pair], [`${pair.b} ${pair.a}`, turned(pair)]]));
  const top = el("tr", {}, el("th", { class: "plain", scope: "col", text: "row against column" }),
    ...order.map((b) => el("th", { class: "plain number", scope: "col", text: head.configurations[b] })));
  const lines = order.map((a) => el("tr", {}, el("th", { scope: "row" }, labelled(a)),
    ...order.map((b) => (a === b ? el("td", { class: "same", text: NONE }) : pairCell(found.get(`${a} ${b}`))))));
  const table = el("table", {}, el("caption", { class: "unseen", text: "Pairwise comparison" }),
    el("thead", {}, top), el("tbody", {}, ...lines));
  place("pairs-table").replaceChildren(
    el("div", { class: "scroll", tabindex: 0, role: "region", "aria-label": "Pairwise comparison" }, table));
}

/** The same comparison seen from the other side. */
function turned(pair) {
  return {
    ...pair, wins: pair.losses, losses: pair.wins,
    ratio: 1 / known(pair.ratio), low: 1 / known(pair.high), high: 1 / known(pair.low),
  };
}

function pairCell(pair) {
  if (!pair || !pair.instances) return el("td", { class: "same", text: "no common instance" });
  const sure = known(pair.p) < 0.05 && pair.wins !== pair.losses;
  const [ratio, low, high] = [pair.ratio, pair.low, pair.high].map((value) => factor(known(value)));
  const lines = [`${pair.wins} / ${pair.ties} / ${pair.losses}`, `${ratio} [${low}, ${high}]`, `p ${probability(known(pair.p))}`];
  return el("td", { class: "number" + (!sure ? "" : pair.wins > pair.losses ? " ahead" : " behind") },
    ...lines.map((text, i) => el("span", { class: i ? "pair muted" : "pair", text })));
}
