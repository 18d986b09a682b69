"use strict";
// The tables of instances, runs, failures and findings, from the columns of all runs.

const kindOf = (instance) => data.kinds[data.kind[instance]];
const chosenKind = () => (Number(kindChoice.select.value) === 0 ? -1 : data.kinds.indexOf(group().name));

function instanceLink(instance) {
  return el("a", { href: `#instance=${data.digests[instance]}` }, data.names[instance]);
}

let cells = null; // for each instance and configuration: runs, failed runs, mean gap and seconds, best objective

function summariseCells() {
  const width = head.configurations.length;
  const size = data.names.length * width;
  cells = {
    runs: new Uint32Array(size), failed: new Uint32Array(size), gap: new Float64Array(size),
    seconds: new Float64Array(size), objective: new Float64Array(size).fill(NaN),
  };
  for (let r = 0; r < data.instance.length; r++) {
    const at = data.instance[r] * width + data.configuration[r];
    cells.runs[at]++;
    cells.failed[at] += 1 - data.answered[r];
    cells.gap[at] += data.gap[r];
    cells.seconds[at] += data.seconds[r];
    if (!data.answered[r]) continue;
    const sign = data.maximise[data.instance[r]] ? -1 : 1;
    const value = data.objective[r];
    if (!(sign * value >= sign * cells.objective[at])) cells.objective[at] = Number.isNaN(value) ? cells.objective[at] : value;
  }
  for (let at = 0; at < size; at++) {
    cells.gap[at] /= cells.runs[at];
    cells.seconds[at] /= cells.runs[at];
  }
}

const SHOWN = {
  gap: { name: "mean gap %", show: percent },
  objective: { name: "best objective", show: exact },
  seconds: { name: "mean seconds", show: seconds },
};
let instancesTable = null, instancesFilter = null, instancesShown = null;

function makeInstances() {
  instancesFilter = filterBox("Filter instances", () => showInstances());
  instancesShown = choice("Show", Object.entries(SHOWN).map(([key, { name }]) => [key, name]), () => {
    instancesTable.setColumns(instanceColumns());
  });
  place("instances-tools").append(instancesFilter, instancesShown.node);
  instancesTable = new DataTable(place("instances-table"), {
    caption: "Instances and configurations", columns: instanceColumns(), none: "No instance fits the filter.",
  });
}

function instanceColumns() {
  const key = instancesShown.select.value;
  const width = head.configurations.length;
  const best = (row) => {
    const values = cells[key].subarray(row * width, row * width + width);
    const sign = key === "objective" && data.maximise[row] ? -1 : 1;
    let top = NaN, other = false;
    for (let c = 0; c < width; c++) {
      if (!Number.isFinite(values[c])) continue;
      if (!(sign * top <= sign * values[c])) {
        other ||= !Number.isNaN(top);
        top = values[c];
      } else other ||= values[c] !== top;
    }
    return other ? top : NaN;
  };
  const present = head.configurations.map((_, c) => c).filter((c) => group().summary.configuration.includes(c));
  return [
    { name: "instance", value: (row) => data.names[row], show: instanceLink },
    { name: "kind", value: kindOf, show: kindOf },
    {
      name: "size", title: "What says how large it is",
      value: (row) => data.sizes[row], show: (row) => data.sizes[row],
    },
    {
      name: "best known", title: "Reference value, or what these runs found", number: true,
      value: (row) => data.best[row], show: (row) => exact(data.best[row]),
    },
    ...present.map((c) => ({
      name: head.configurations[c], title: `${SHOWN[key].name} of ${head.configurations[c]}`, number: true,
      value: (row) => cells[key][row * width + c],
      show: (row) => {
        const at = row * width + c;
        if (!cells.runs[at]) return "";
        const text = SHOWN[key].show(cells[key][at]);
        if (!cells.failed[at]) return text;
        const all = cells.failed[at] === cells.runs[at];
        const mark = el("span", { class: "failed-some", text: "\u2715" + (cells.runs[at] > 1 ? cells.failed[at] : "") + " ",
          title: `${cells.failed[at]} of ${cells.runs[at]} runs failed or have no answer` });
        return el("span", {}, mark, all && key === "objective" ? "" : text); // in front, so that numbers align
      },
      mark: (row) => {
        const at = row * width + c;
        if (cells.runs[at] && cells.failed[at] === cells.runs[at]) return "failed";
        return cells[key][at] === best(row) ? "best" : "";
      },
    })),
  ];
}

function showInstances() {
  const kind = chosenKind();
  const fits = matcher(instancesFilter);
  const rows = [];
  for (let i = 0; i < data.names.length; i++) {
    if (kind >= 0 && data.kind[i] !== kind) continue;
    if (fits && !fits(`${data.names[i]} ${kindOf(i)} ${data.sizes[i]}`.toLowerCase())) continue;
    rows.push(i);
  }
  instancesTable.columns = instanceColumns();
  instancesTable.setRows(rows);
}

const runWords = (r) => [
  data.names[data.instance[r]], kindOf(data.instance[r]), head.configurations[data.configuration[r]],
  head.statuses[data.status[r]], head.stopped[data.stopped[r]], data.failed[r] ? "failed" : "", outcome(r),
].join(" ").toLowerCase();

/** Why a run failed or brought nothing. */
function outcome(r) {
  if (data.failed[r]) return head.failures[data.failure[r]];
  return data.answered[r] ? "" : "no answer";
}

const RUN = {
  instance: {
    name: "instance",
    value: (r) => data.names[data.instance[r]], show: (r) => instanceLink(data.instance[r]),
  },
  kind: { name: "kind", value: (r) => kindOf(data.instance[r]), show: (r) => kindOf(data.instance[r]) },
  configuration: {
    name: "configuration",
    value: (r) => head.configurations[data.configuration[r]], show: (r) => head.configurations[data.configuration[r]],
  },
  seed: { name: "seed", number: true, value: (r) => data.seed[r], show: (r) => String(data.seed[r]) },
  status: {
    name: "status", title: "What is known after the run", value: (r) => head.statuses[data.status[r]],
    show: (r) => head.statuses[data.status[r]],
  },
  stopped: {
    name: "stopped by",
    value: (r) => head.stopped[data.stopped[r]], show: (r) => head.stopped[data.stopped[r]],
  },
  objective: {
    name: "objective", number: true,
    value: (r) => data.objective[r], show: (r) => exact(data.objective[r]),
  },
  bound: {
    name: "bound", title: "Dual bound that the solver claims", number: true,
    value: (r) => data.bound[r], show: (r) => exact(data.bound[r]),
  },
  gap: {
    name: "gap %", title: "Primal gap to the best known value", number: true,
    value: (r) => data.gap[r], show: (r) => percent(data.gap[r]),
  },
  seconds: { name: "seconds", number: true, value: (r) => data.seconds[r], show: (r) => seconds(data.seconds[r]) },
  integral: {
    name: "integral %", title: "Primal integral in per cent of the time limit", number: true,
    value: (r) => data.integral[r], show: (r) => percent(data.integral[r]),
  },
  failure: { name: "failure", value: outcome, show: outcome, mark: (r) => (data.answered[r] ? "" : "failed") },
  messages: {
    name: "messages", wide: true,
    value: (r) => data.messages[data.message[r]], show: (r) => data.messages[data.message[r]],
  },
};

let runsTable = null, runsFilter = null, runsConfiguration = null, runsOutcome = null, failuresTable = null;

function makeRuns() {
  runsFilter = filterBox("Filter runs", () => showRuns());
  const configurations = head.configurations.map((label, c) => [c, label]);
  runsConfiguration = choice("Configuration", [[-1, "all"], ...configurations], () => showRuns());
  runsOutcome = choice("Runs", [["all", "all"], ["failed", "failed"], ["none", "no answer"], ["good", "answered"]], () => showRuns());
  place("runs-tools").append(runsFilter, runsConfiguration.node, runsOutcome.node);
  const { messages, ...columns } = RUN;
  runsTable = new DataTable(place("runs-table"), {
    caption: "All runs", columns: Object.values(columns), none: "No run fits the filter.",
  });
  failuresTable = new DataTable(place("failures-table"), {
    caption: "Failed runs with their messages", size: 25, none: "No run failed.",
    columns: [RUN.instance, RUN.configuration, RUN.seed, RUN.failure, messages],
  });
}

function selectRuns(test) {
  const kind = chosenKind();
  const rows = new Uint32Array(data.instance.length);
  let n = 0;
  for (let r = 0; r < rows.length; r++) {
    if (kind >= 0 && data.kind[data.instance[r]] !== kind) continue;
    if (test(r)) rows[n++] = r;
  }
  return rows.subarray(0, n);
}

function showRuns() {
  const fits = matcher(runsFilter);
  const configuration = Number(runsConfiguration.select.value);
  const wanted = {
    all: () => true, failed: (r) => data.failed[r], none: (r) => !data.failed[r] && !data.answered[r], good: (r) => data.answered[r],
  }[runsOutcome.select.value];
  runsTable.setRows(selectRuns((r) =>
    (configuration < 0 || data.configuration[r] === configuration)
    && wanted(r)
    && (!fits || fits(runWords(r)))));
}

function showFailures() {
  failuresTable.setRows(selectRuns((r) => !data.answered[r]));
}

function makeFindings() {
  place("findings").hidden = !head.findings.length;
  new DataTable(place("findings-table"), {
    caption: "Findings", size: 25,
    columns: ["what", "instance", "finding"].map((name, k) => ({
      name, wide: k === 2, value: (row) => (k === 1 ? data.names[head.findings[row][1]] : head.findings[row][k]),
      show: (row) => (k === 1 ? instanceLink(head.findings[row][1]) : head.findings[row][k]),
    })),
  }).setRows(head.findings.map((_, i) => i));
}
