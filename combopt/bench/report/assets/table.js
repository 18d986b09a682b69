"use strict";
// A table that sorts, filters and pages. Rows are numbers; columns say what a row shows and by what it sorts.

const COLLATOR = new Intl.Collator("en", { numeric: true });
const PAGE_SIZES = [25, 50, 100, 500];

class DataTable {
  /**
   * box      the element to fill
   * caption  what the table holds, for screen readers
   * columns  {name, title, number, value(row), show(row), mark(row), wide}: `value` is what it sorts by
   *          (a number, or a text), `show` a text or a node, `mark` a class of the cell
   * size     rows of a page, or 0 for all on one
   * sort     [column, descending] at first
   * none     what to say when there is no row
   */
  constructor(box, { caption, columns, size = 50, sort = null, none = "Nothing here." }) {
    Object.assign(this, { caption, columns, size, sort, none, rows: [], page: 0, ranks: new Map() });
    this.table = el("table");
    this.scroll = el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": caption }, this.table);
    this.pager = el("div", { class: "pager" });
    box.replaceChildren(this.scroll, this.pager);
  }

  /** Show other rows; the order of sorting stays. */
  setRows(rows) {
    this.rows = Array.isArray(rows) ? rows.slice() : rows;
    this.page = 0;
    this.arrange();
  }

  setColumns(columns) {
    this.columns = columns;
    this.ranks.clear();
    if (this.sort && this.sort[0] >= columns.length) this.sort = null;
    this.arrange();
  }

  sortBy(column) {
    const again = this.sort && this.sort[0] === column;
    this.sort = [column, again ? !this.sort[1] : false];
    this.page = 0;
    this.arrange();
    this.table.querySelectorAll("thead button")[column].focus();
  }

  arrange() {
    const rows = this.rows;
    this.order = Uint32Array.from({ length: rows.length }, (_, i) => i);
    if (this.sort) {
      const [column, descending] = this.sort;
      const keys = this.keys(column);
      const sign = descending ? -1 : 1;
      // What has no value goes last either way.
      this.order.sort((a, b) => {
        const x = keys[a], y = keys[b];
        if (x === y) return a - b;
        if (x !== x || y !== y) return (x !== x) - (y !== y) || a - b;
        return sign * (x < y ? -1 : 1);
      });
    }
    this.render();
  }

  /** What the rows sort by, as numbers. */
  keys(column) {
    const { value, number } = this.columns[column];
    const rows = this.rows;
    const keys = new Float64Array(rows.length);
    if (number) {
      for (let i = 0; i < rows.length; i++) keys[i] = value(rows[i]);
      return keys;
    }
    const texts = new Set();
    for (let i = 0; i < rows.length; i++) texts.add(value(rows[i]));
    const rank = new Map([...texts].sort(COLLATOR.compare).map((text, i) => [text, i]));
    for (let i = 0; i < rows.length; i++) keys[i] = rank.get(value(rows[i]));
    return keys;
  }

  render() {
    const size = this.size || Math.max(1, this.rows.length);
    const pages = Math.max(1, Math.ceil(this.rows.length / size));
    this.page = Math.min(Math.max(0, this.page), pages - 1);
    const first = this.page * size;
    const last = Math.min(this.rows.length, first + size);
    const body = el("tbody");
    for (let i = first; i < last; i++) body.append(this.line(this.rows[this.order[i]]));
    if (!this.rows.length) {
      body.append(el("tr", {}, el("td", { colspan: this.columns.length, class: "none", text: this.none })));
    }
    this.table.replaceChildren(el("caption", { class: "unseen", text: this.caption }), this.header(), body);
    this.renderPager(first, last, pages);
  }

  header() {
    const cells = this.columns.map((column, i) => {
      const sorted = this.sort && this.sort[0] === i;
      const order = !sorted ? "none" : this.sort[1] ? "descending" : "ascending";
      const button = el("button", { type: "button", title: column.title, onclick: () => this.sortBy(i) }, column.name);
      return el("th", { scope: "col", "aria-sort": order, class: column.number ? "number" : null }, button);
    });
    return el("thead", {}, el("tr", {}, ...cells));
  }

  line(row) {
    const cells = this.columns.map((column, i) => {
      const mark = column.mark ? column.mark(row) : "";
      const names = [column.number ? "number" : "", column.wide ? "wide" : "", mark].filter(Boolean).join(" ");
      const shown = column.show(row);
      return el(i ? "td" : "th", { class: names || null, scope: i ? null : "row" }, shown);
    });
    return el("tr", {}, ...cells);
  }

  renderPager(first, last, pages) {
    const total = this.rows.length;
    if (!this.size || total <= PAGE_SIZES[0]) {
      this.pager.replaceChildren(el("span", { class: "muted", text: this.size ? `${count(total)} rows` : "" }));
      return;
    }
    const turn = (text, label, page) => el("button", {
      type: "button", "aria-label": label, disabled: page < 0 || page >= pages || page === this.page,
      onclick: () => this.turn(page, label),
    }, text);
    const choice = el("select", { "aria-label": "rows on a page", onchange: (event) => {
      this.size = Number(event.target.value);
      this.page = 0;
      this.render();
    } });
    for (const size of PAGE_SIZES) {
      choice.append(el("option", { value: size, selected: size === this.size }, `${size} rows`));
    }
    this.pager.replaceChildren(
      turn("\u00ab", "first page", 0), turn("\u2039", "previous page", this.page - 1),
      el("span", { role: "status", text: `${count(first + 1)}\u2013${count(last)} of ${count(total)}` }),
      turn("\u203a", "next page", this.page + 1), turn("\u00bb", "last page", pages - 1), choice,
    );
  }

  turn(page, label) {
    this.page = page;
    this.render();
    const again = this.pager.querySelector(`[aria-label="${label}"]`);
    (again.disabled ? this.pager.querySelector("button:not(:disabled)") : again).focus();
  }
}

/** A labelled box for words to filter by; `action` gets a test of lower-case texts. */
function filterBox(label, action) {
  const input = el("input", { type: "search", placeholder: "filter", "aria-label": label, autocomplete: "off" });
  input.addEventListener("input", quiet(action));
  return input;
}

/** The words of a filter box as a test: all of them have to be there. */
function matcher(input) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  return words.length ? (text) => words.every((word) => text.includes(word)) : null;
}

/** A labelled choice; `options` are [value, text] pairs. */
function choice(label, options, action) {
  const select = el("select", { onchange: action });
  for (const [value, text] of options) select.append(el("option", { value }, text));
  return { select, node: el("label", {}, label + " ", select) };
}
