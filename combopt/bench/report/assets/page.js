"use strict";
// What the choice of a kind and the address show, and the start of the page.

function showGroup() {
  const { runs, instances } = group();
  place("summary-size").textContent = `${count(runs)} runs of ${count(instances)} instances.`;
  showSummary();
  showProfile();
  showCourse();
  showPairs();
  if (data) {
    showInstances();
    showRuns();
    showFailures();
  }
}

function route() {
  const digest = /^#instance=([0-9a-f]+)$/.exec(location.hash);
  if (digest) {
    openInstance(digest[1]).catch(fail);
    return;
  }
  const back = overview.hidden;
  overview.hidden = false;
  single.hidden = true;
  document.body.classList.remove("single");
  if (back) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

function fail(error) {
  place("problem").hidden = false;
  place("problem").textContent =
    `The data of this page could not be unpacked (${error.message}). A browser of 2023 or later is needed.`;
}

async function start() {
  facts(place("facts"), head.facts);
  place("notes").replaceChildren(...head.notes.map((text) => el("li", { text })));
  showGroup();
  new DataTable(place("configurations-table"), {
    caption: "Configurations", size: 0,
    columns: ["label", "solver", "version", "options"].map((name, k) => ({
      name, wide: k === 3, value: (row) => head.details[row][k], show: (row) => head.details[row][k],
    })),
  }).setRows(head.details.map((_, i) => i));
  data = await unpack("data");
  summariseCells();
  makeInstances();
  makeRuns();
  makeFindings();
  showInstances();
  showRuns();
  showFailures();
  window.addEventListener("hashchange", route);
  route();
  document.documentElement.dataset.ready = "true";
}

start().catch(fail);
