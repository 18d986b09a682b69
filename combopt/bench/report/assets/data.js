"use strict";
// The data of the page, small helpers for elements, and the text of numbers.

/** Parse the JSON of a script element. */
function json(id) {
  return JSON.parse(document.getElementById(id).textContent);
}

/**
 * Unpack a block of columns: base64 of gzip of [length of head, head as JSON, columns].
 * Bytes of a column lie plane by plane (all first bytes, then all second bytes, ...), which compresses better.
 */
async function unpack(id) {
  const text = atob(document.getElementById(id).textContent.trim());
  const packed = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) packed[i] = text.charCodeAt(i);
  const stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  const size = new DataView(bytes.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(bytes.subarray(4, 4 + size)));
  const columns = {};
  for (const [name, type, length, offset] of head.columns) {
    columns[name] = column(bytes.subarray(4 + size + offset), type, length);
  }
  return { ...head, ...columns };
}

const TYPES = { u1: Uint8Array, u2: Uint16Array, u4: Uint32Array, i4: Int32Array, f4: Float32Array, f8: Float64Array };

function column(planes, type, length) {
  const out = new TYPES[type](length);
  const width = out.BYTES_PER_ELEMENT;
  const bytes = new Uint8Array(out.buffer);
  for (let plane = 0; plane < width; plane++) {
    const start = plane * length;
    for (let i = 0, at = plane; i < length; i++, at += width) bytes[at] = planes[start + i];
  }
  return out;
}

/** An element; `properties` are attributes, except `class`, `text` and handlers (`onclick`). */
function el(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", tag), properties, children);
}

function fill(node, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
}

const NONE = "\u2013";

/** An objective or bound, exactly; beyond 2^53 doubles no longer tell whole numbers apart. */
function exact(value) {
  if (!Number.isFinite(value)) return NONE;
  return (Math.abs(value) > Number.MAX_SAFE_INTEGER ? "\u2248" : "") + String(value);
}

function fixed(value, digits) {
  if (!Number.isFinite(value)) return value > 0 ? "\u221e" : NONE;
  if (value >= 1e7) return value.toExponential(2);
  const least = 10 ** -digits;
  if (value > 0 && value < least / 2) return "<" + least.toFixed(digits);
  return value.toFixed(digits);
}

/** The least positive number of some lists, Infinity if there is none. */
function leastPositive(lists) {
  let least = Infinity;
  for (const list of lists) for (const value of list) if (value > 0 && value < least) least = value;
  return least;
}

const percent = (fraction) => fixed(100 * fraction, 2);
const seconds = (value) => fixed(value, 2);
/** A factor with three digits or so. */
function factor(value) {
  if (!Number.isFinite(value)) return fixed(value, 0);
  if (value > 0 && value < 0.001) return "<0.001";
  return fixed(value, value < 1 ? 3 : value < 10 ? 2 : value < 100 ? 1 : 0);
}

const count = (value) => value.toLocaleString("en");

/** A p value: three decimals, smaller ones as such. */
function probability(p) {
  if (!Number.isFinite(p)) return NONE;
  return p < 0.001 ? "<0.001" : p.toFixed(3);
}

/** Call `action` once things have been quiet for `wait` milliseconds. */
function quiet(action, wait = 120) {
  let timer = 0;
  return () => {
    clearTimeout(timer);
    timer = setTimeout(action, wait);
  };
}
