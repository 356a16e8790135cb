// @ts-check
/**
 * A form being filled in: answers, relevance, calculations, checks. Pure of DOM; the same rules as forms/state.py.
 *
 * @typedef {any[]} IR
 * @typedef {{k: string, s: number, t: string, b: string, g?: number[], r?: IR, q?: IR | 1, c?: IR, x?: IR, f?: IR,
 *   l?: string, d?: string, e?: IR | 1}} FormNode   s = 0 for a group; g = indexes of the enclosing groups; q = 1:
 *   always required; e = 1: people cannot write there
 * @typedef {{nodes: FormNode[], order: number[], lists: Record<string, Record<string, any[]>>,
 *   choices: Record<string, string[]>}} FormData   lists: by column; null where an item lacks it
 */
import { evaluate, storedText, toBoolean } from './engine.js';

const PASSES = 8;
const SHAPES = {
  integer: /^-?\d{1,15}$/,
  decimal: /^-?(\d+\.?\d*|\.\d+)$/,
};

/** @param {FormData} form @param {[number, number]} now epoch ms, offset in minutes @param {string} lang */
export function open(form, now, lang) {
  const raw = form.nodes.map((node) => node.d || '');
  /** @type {any[]} */
  const row = [null];
  const relevant = form.nodes.map(() => true);
  const env = { row, now, lang, lists: rows(form.lists), random: Math.random };

  /** @param {IR} ir */
  const truth = (ir) => toBoolean(evaluate(ir, env));

  /** @param {FormNode} node @param {number} i */
  const place = (node, i) => { if (node.s) row[node.s] = relevant[i] ? raw[i] : null; };

  /** @returns {boolean} whether anything moved */
  function pass() {
    let moved = false;
    /** @param {number} i @param {string} value */
    const keep = (i, value) => {
      if (value === raw[i]) return;
      raw[i] = row[form.nodes[i].s] = value;
      moved = true;
    };
    for (const i of form.order) {
      const node = form.nodes[i];
      if (relevant[i]) keep(i, storedText(evaluate(/** @type {IR} */ (node.x), env), node.b, env.now[1]));
    }
    form.nodes.forEach((node, i) => {
      const was = relevant[i];
      relevant[i] = (node.g || []).every((g) => relevant[g]) && (!node.r || truth(node.r));
      if (was !== relevant[i]) moved = true;
      place(node, i);
      if (node.f && relevant[i]) keep(i, raw[i].split(' ').filter(offers(i)).join(' '));
    });
    return moved;
  }

  /** @param {number} i @returns {string[]} names offered now */
  function choices(i) {
    const node = form.nodes[i];
    return node.f ? evaluate(node.f, env) : form.choices[node.l || ''] || [];
  }

  /** @param {number} i @returns {(name: string) => boolean} */
  function offers(i) {
    const offered = choices(i);
    return (name) => offered.includes(name);
  }

  /** Brings calculations and relevance to rest; a fixed number of passes at most, as on the node. */
  function settle() {
    form.nodes.forEach(place);
    for (let n = 0; n < PASSES && pass(); n++);
  }

  /** @param {number} i @returns {string} "", "required", "type", "choice" or "constraint" */
  function problem(i) {
    const node = form.nodes[i];
    if (!node.s || !relevant[i] || node.t === 'note' || node.t === 'calculate') return '';
    const value = raw[i];
    if (!node.e) {
      if (!value) return node.q && (node.q === 1 || truth(node.q)) ? 'required' : '';
      if (!fits(node, value)) return 'type';
      if (node.l && !value.split(' ').every(offers(i))) return 'choice';
    }
    return value && node.c && !truth(node.c) ? 'constraint' : '';
  }

  /** @returns {Record<string, string>} relevant answers by key, empty ones left out */
  function answers() {
    /** @type {Record<string, string>} */
    const given = {};
    form.nodes.forEach((node, i) => {
      if (node.s && relevant[i] && raw[i] && node.t !== 'note') given[node.k] = raw[i];
    });
    return given;
  }

  /** @param {number} i @param {string} text */
  function set(i, text) {
    raw[i] = tidy(form.nodes[i], text);
    settle();
  }

  settle();
  return {
    raw, relevant, env, set, settle, finish: settle, problem, choices, answers,
    dump: () => raw,
    restore(/** @type {string[]} */ kept) {
      kept.forEach((text, i) => { raw[i] = text; });
      settle();
    },
  };
}

/** Lists travel by column and are read by item. @param {Record<string, Record<string, any[]>>} columns */
export function rows(columns) {
  /** @type {Record<string, Record<string, string>[]>} */
  const lists = {};
  for (const list of Object.keys(columns)) {
    lists[list] = columns[list].name.map((_, n) => {
      /** @type {Record<string, string>} */
      const item = {};
      for (const name of Object.keys(columns[list])) item[name] = columns[list][name][n];
      return item;
    });
  }
  return lists;
}

/** @param {FormNode} node @param {string} text @returns {string} as stored: trimmed, decimals with a point */
export function tidy(node, text) {
  const trimmed = text.normalize('NFC').replace(/\0/g, '').trim();
  return node.t === 'decimal' ? trimmed.replace(',', '.') : trimmed;
}

/** @param {FormNode} node @param {string} value @returns {boolean} */
export function fits(node, value) {
  if (node.t === 'date') {
    const date = new Date(value + 'T00:00Z');
    // before year 1 there is no date in Python; a year of more digits starts with a sign, which is less than a digit
    return value > '0001' && !isNaN(+date) && date.toISOString().slice(0, 10) === value;
  }
  const shape = /** @type {Record<string, RegExp>} */ (SHAPES)[node.t];
  return !shape || shape.test(value);
}
