// @ts-check
/**
 * Brings a form to rest after a change: rows, relevance, calculations, row counts, actions. Pure of DOM; the same rules as
 * forms/settling.py, step by step. Only what depends on a change is looked at again: `own` and `wide` of the JSON name
 * the jobs that read a node in its own row, or anywhere.
 *
 * A job is node * 4 + kind. A row is the engine's, [parent, slot, …], with what is kept while editing beside it.
 * @typedef {any[]} IR
 * @typedef {Object<string, string>} Text
 * @typedef {{v?: Object<string, string>, r?: Object<string, Seed[]>}} Seed  values and rows by node
 * @typedef {import('./state.js').FormNode & {p?: number, R?: 1, n?: IR, e?: IR, P?: string, z?: Seed, L?: Text,
 *   m?: Object<string, Text>, y?: number, u?: number[], h?: 1,
 *   F?: IR, w?: [IR, number, number]}} RowNode  p: the repeat around it; n: row count; e: readonly; z: what a new row holds; P: path;
 *   y: characters of a date that are asked; u: the ends of a range; h: a choice goes on to the next page;
 *   F: numbers of the choices that a filter offers, where several have one name;
 *   w: choices are rows: their node-set, value and label
 * @typedef {{e: string[], a: number, w: IR, i: number, v?: IR, t: number}} Action  t: the node whose change sets it off
 * @typedef {{nodes: RowNode[], order: number[], lists: Object<string, any>, choices: Object<string, string[]>,
 *   own: Object<string, number[]>, wide: Object<string, number[]>, drawn: number[], seed: Seed, actions: Action[],
 *   outputs: [number, IR][], labels: Object<string, Text[]>, names: Object<string, Text>, langs: string[],
 *   codes: Object<string, string>}} RowForm  names: what jr:itext() finds
 * @typedef {any[] & {at: number, raw: string[], relevant: boolean[], rows: Object<string, Row[]>,
 *   seeds: Object<string, Seed[]>, on: boolean, drawn: Set<number>, listed?: Object<string, string>}} Row
 *   at: its repeat, -1 for the record itself; listed: places chosen from the list, by their geopoint
 */
import { evaluate, readNumber, storedText, toBoolean } from './engine.js';
import { evaluateNodes, toNumber } from './functions.js';
import { rows as itemsOf } from './state.js';

const PASSES = 8;
const ROUNDS = 8;
export const MAX_ROWS = 1000;
const [CALCULATE, RELEVANT, FILTER, COUNT] = [0, 1, 2, 3];

/** What a question of a type keeps: an int drops the fraction of a text too. @param {any} value @param {string} type */
export const kept = (value, type, offset = 0) => {
  const text = storedText(value, type, offset);
  const number = type === 'int' ? readNumber(text) : NaN;
  return number === number ? storedText(Math.trunc(number), type, offset) : text;
};

/** The names in an answer; that of a single choice may hold blanks. @param {RowNode} node @param {string} value */
export const chosen = (node, value) => node.t === 'select_one' ? [value] : value.split(/\s+/).filter(Boolean);

/**
 * @param {RowForm} form @param {[number, number]} now epoch ms, offset in minutes @param {string} lang code
 * @param {(path: string, value: string, row: Row) => string} choiceLabel what jr:choice-name() gives
 * @param {(id: string) => string} textOf what jr:itext() gives
 */
export function settling(form, now, lang, choiceLabel, textOf) {
  const { nodes } = form;
  /** @type {Map<number, Set<Row> | null>} */
  const dirty = new Map();
  /** @type {Object<string, Row[]>} */
  let rowsBy = {};
  /** @type {[number, Row][]} */
  let fired = [];
  /** @type {Row[]} */
  let born = [];
  let isOpen = false;

  /** @param {number} i */
  const levelOf = (i) => i < 0 || nodes[i].p === undefined ? -1 : /** @type {number} */ (nodes[i].p);
  /** @type {Object<string, number[]>} */
  const inLevel = { '-1': [] };
  nodes.forEach((node, i) => { if (node.R) inLevel[i] = []; });
  nodes.forEach((_, i) => inLevel[levelOf(i)].push(i));
  /** @type {Object<string, number[]>} */
  const inside = {};
  nodes.forEach((node, i) => (node.g || []).forEach((g) => (inside[g] = inside[g] || []).push(i)));
  /** Everything there is to do besides calculating, in document order; what always takes part needs no job. */
  /** @type {number[]} */
  const settlings = [].concat(.../** @type {any} */ (nodes.map((node, i) => [
    node.n ? [i * 4 + COUNT] : [],
    node.R || node.r || (node.g || []).length || levelOf(i) >= 0 ? [i * 4 + RELEVANT] : [],
    node.f ? [i * 4 + FILTER] : [],
  ].flat())));
  const jobs = new Set([...form.order.map((i) => i * 4 + CALCULATE), ...settlings]);
  /** @type {Object<string, number[]>} */
  const jobsIn = {};
  for (const at of Object.keys(inLevel)) jobsIn[at] = [...jobs].filter((job) => levelOf(job >> 2) === +at);
  const drawn = new Set(form.drawn);
  const triggers = new Set(form.actions.map((action) => action.t));

  /** @param {number} at @param {Row | null} parent @returns {Row} */
  function makeRow(at, parent) {
    const row = /** @type {Row} */ (/** @type {any} */ ([parent]));
    Object.assign(row, { at, raw: [], relevant: [], rows: {}, seeds: {}, on: true, drawn: new Set() });
    for (const i of inLevel[at]) {
      row.relevant[i] = true;
      if (nodes[i].R) {
        row.rows[i] = [];
        row[nodes[i].s] = [];
      }
      else if (nodes[i].s) row.raw[i] = row[nodes[i].s] = '';
    }
    return row;
  }

  const root = makeRow(-1, null);
  const env = /** @type {any} */ ({
    row: root, now, lang, lists: itemsOf(form.lists), random: Math.random,
    choiceLabel, textOf,
  });

  // -- rows

  /** @param {Row} row @returns {Row[]} the row and all rows inside it */
  const allRows = (row) => [row].concat(...Object.values(row.rows).map((held) => [].concat(
    .../** @type {any} */ (held.map(allRows)))));

  /** @param {number} level @returns {Row[]} every row of a repeat in the record */
  function rowsAt(level) {
    if (level < 0) return [root];
    return rowsBy[level] = rowsBy[level] || [].concat(
      .../** @type {any} */ (rowsAt(levelOf(level)).map((parent) => parent.rows[level])));
  }

  /** @param {Row} row @param {Seed} seed */
  function sow(row, seed) {
    for (const i of inLevel[row.at]) {
      if (nodes[i].R) {
        row.seeds[i] = (seed.r || {})[i] || [];
        if (!nodes[i].n) row.seeds[i].forEach((inner) => append(row, i, inner));
      } else if (nodes[i].s) row.raw[i] = row[nodes[i].s] = (seed.v || {})[i] || '';
    }
  }

  /** @param {Row} parent @param {number} i @param {Seed} [seed] without it the row is blank @returns {Row} */
  function append(parent, i, seed) {
    const row = makeRow(i, parent);
    parent.rows[i].push(row);
    rowsBy = {};
    if (seed) sow(row, seed);
    allRows(row).forEach(markRow);
    mark(i * 4 + RELEVANT);
    showRows(parent, i);
    return row;
  }

  /** @param {Row} parent @param {number} i @param {number} start @param {number} [count] */
  function cut(parent, i, start, count = Infinity) {
    parent.rows[i].splice(start, count);
    rowsBy = {};
    showRows(parent, i);
  }

  /** @param {Row} parent @param {number} i */
  function showRows(parent, i) {
    const shown = parent.rows[i].filter((row) => row.on);
    const was = parent[nodes[i].s];
    if (was.length === shown.length && shown.every((row, n) => row === was[n])) return;
    parent[nodes[i].s] = shown;
    touch(i, parent);
    // rows came or went: whoever reads their values is noted
    nodes.forEach((_, n) => {
      for (let at = levelOf(n); at >= 0; at = levelOf(at)) if (at === i) (form.wide[n] || []).forEach((job) => mark(job));
    });
  }

  // -- what has to be looked at again

  /** @param {number} job @param {Row} [row] without it: all */
  function mark(job, row) {
    if (!jobs.has(job)) return;
    const marked = dirty.get(job);
    if (!row || marked === null) dirty.set(job, null);
    else if (marked) marked.add(row);
    else dirty.set(job, new Set([row]));
  }

  /** @param {Row} row */
  function markRow(row) {
    for (const job of jobsIn[row.at]) mark(job, nodes[job >> 2].R && (job & 3) === RELEVANT ? undefined : row);
  }

  /** @param {number} i @param {Row} row */
  function touch(i, row) {
    (form.own[i] || []).forEach((job) => mark(job, row));
    (form.wide[i] || []).forEach((job) => mark(job));
  }

  /** @param {number} job @returns {Row[]} rows for which it has to be done */
  function due(job) {
    const marked = dirty.get(job);
    dirty.delete(job);
    return rowsAt(levelOf(job >> 2)).filter((row) => !marked || marked.has(row));
  }

  // -- coming to rest

  /** Looks at everything again: the clock has moved, or the language. */
  function settle() {
    allRows(root).forEach(markRow);
    rest();
  }

  function rest() {
    for (let round = 0; round < ROUNDS; round++) {
      passes();
      if (!isOpen || !react()) break;
    }
  }

  function passes() {
    for (let n = 0; n < PASSES && dirty.size; n++) pass();
  }

  function pass() {
    for (const i of form.order) if (dirty.has(i * 4)) for (const row of due(i * 4)) calculate(i, row);
    for (const job of settlings) {
      const [i, kind] = [job >> 2, job & 3];
      if (!dirty.has(job)) continue;
      if (nodes[i].R && kind === RELEVANT) settleRows(i);
      else for (const row of due(job)) [calculate, settleRelevance, dropUnoffered, countRows][kind](i, row);
    }
  }

  /** @param {IR} ir @param {Row} row @returns {any} */
  function ask(ir, row) {
    env.row = row;
    return evaluate(ir, env);
  }

  /** @param {IR | 1 | undefined} ir @param {Row} row @param {boolean} otherwise */
  const truth = (ir, row, otherwise) => ir === 1 || (ir ? toBoolean(ask(ir, row)) : otherwise);

  /** @param {number} i @param {Row} row @param {string} value */
  function keep(i, row, value) {
    if (row.raw[i] === value) return;
    row.raw[i] = value;
    if (triggers.has(i)) fired.push([i, row]);
    if (!row.relevant[i]) return;
    row[nodes[i].s] = value;
    touch(i, row);
  }

  /** @param {number} i @param {Row} row */
  function calculate(i, row) {
    const node = nodes[i];
    if (!row.relevant[i] || !node.x || (drawn.has(i) && row.drawn.has(i))) return;
    row.drawn.add(i);
    keep(i, row, kept(ask(node.x, row), node.b, env.now[1]));
  }

  /** @param {number} i @param {Row} row @returns {boolean} whether everything around a node takes part */
  const surrounded = (i, row) => row.on && (nodes[i].g || []).every((g) => row.relevant[g]);

  /** @param {number} i @param {Row} row */
  function settleRelevance(i, row) {
    const node = nodes[i];
    const is = surrounded(i, row) && truth(node.r, row, true);
    if (is === row.relevant[i]) return;
    row.relevant[i] = is;
    for (const each of inside[i] || []) {
      mark(each * 4 + RELEVANT, nodes[each].R ? undefined : row);
      mark(each * 4 + COUNT, row);
    }
    if (!node.s) return;
    row[node.s] = is ? row.raw[i] : null;
    touch(i, row);
    mark(i * 4 + CALCULATE, row);
    mark(i * 4 + FILTER, row);
  }

  /** Settles which rows take part; while asked, each has its place among all of them. @param {number} i */
  function settleRows(i) {
    dirty.delete(i * 4 + RELEVANT);
    const { s, r } = nodes[i];
    for (const parent of rowsAt(levelOf(i))) {
      const around = surrounded(i, parent);
      const shown = parent[s];
      parent[s] = parent.rows[i];
      const is = parent.rows[i].map((row) => around && truth(r, row, true));
      parent[s] = shown;
      parent.relevant[i] = around && (!is.length || is.includes(true));
      parent.rows[i].forEach((row, n) => {
        if (row.on === is[n]) return;
        row.on = is[n];
        markRow(row);
      });
      showRows(parent, i);
    }
  }

  /** @param {number} i @param {Row} parent */
  function countRows(i, parent) {
    const node = nodes[i];
    if (!node.n || !surrounded(i, parent)) return;
    const number = toNumber(ask(node.n, parent), env.now[1]);
    if (number !== number) return;
    const wanted = Math.trunc(Math.max(0, Math.min(number, MAX_ROWS)));
    const held = parent.rows[i];
    if (wanted < held.length) cut(parent, i, wanted);
    while (held.length < wanted) {
      const seed = parent.seeds[i][held.length];
      const row = append(parent, i, seed || node.z || {});
      if (!seed) born.push(row);
    }
  }

  /** @param {number} i @param {Row} row */
  function dropUnoffered(i, row) {
    if (!nodes[i].f || !row.raw[i] || !row.relevant[i]) return;
    const offered = choices(i, row);
    keep(i, row, chosen(nodes[i], row.raw[i]).filter((name) => offered.includes(name)).join(' '));
  }

  // -- actions

  /** @returns {boolean} whether new rows or changed triggers set anything off */
  function react() {
    const [rows, changes] = [born, fired];
    born = [];
    fired = [];
    if (!form.actions.length) return false;
    for (const row of rows) run('odk-new-repeat', row);
    for (const [i, row] of changes) {
      for (const action of form.actions) {
        if (action.t === i && action.e.includes('xforms-value-changed')) act(action, row);
      }
    }
    return rows.length + changes.length > 0;
  }

  /** @param {Row | null} row @param {Row} around @returns {boolean} */
  const isInside = (row, around) => !!row && (row === around || isInside(row[0], around));

  /** @param {string} event @param {Row} [fresh] a new row: only that is touched */
  function run(event, fresh) {
    for (const action of form.actions.filter(({ e }) => e.includes(event))) {
      for (const row of rowsAt(action.a)) {
        if (!fresh || isInside(row, fresh) || isInside(fresh, row)) act(action, row, fresh);
      }
    }
  }

  /** @param {Action} action @param {Row} row @param {Row} [fresh] */
  function act(action, row, fresh) {
    env.row = row;
    for (const target of evaluateNodes(action.w, env)) {
      if (fresh && !isInside(target, fresh)) continue;
      const value = action.v ? ask(action.v, target) : '';
      keep(action.i, target, kept(value, nodes[action.i].b, env.now[1]));
    }
    passes();
  }

  /** The record is finished: the end time, and everything that reads the clock. */
  function finish() {
    run('finish');
    settle();
  }

  /** @param {number} i @param {Row} row @returns {string[]} names offered now */
  function choices(i, row = root) {
    const node = nodes[i];
    return node.f ? ask(node.f, row).filter(Boolean) : form.choices[node.l || ''] || [];
  }

  /** Opens a new record: what the form holds, then the actions of a first load. */
  function start() {
    sow(root, { v: Object.fromEntries(nodes.map((node, i) => [i, node.d || '']).filter(([, text]) => text)), r: form.seed.r });
    settle();
    if (form.actions.length) {
      fired = [];
      run('odk-instance-first-load');
      run('odk-instance-load');
    }
    isOpen = true;
    rest();
  }

  /** Does `work` without anything being set off by it. @param {() => void} work */
  function quietly(work) {
    isOpen = false;
    work();
    [fired, born, isOpen] = [[], [], true];
  }

  return {
    quietly, root, env, inLevel, allRows, append, born: (/** @type {Row} */ row) => born.push(row), cut, keep, rest, settle, finish,
    ask, truth, choices, start,
  };
}
