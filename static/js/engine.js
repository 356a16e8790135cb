// @ts-check
/**
 * Evaluates the IR of a form's expressions (described in collector/forms/expressions/resolve.py) with the same answers
 * as the Python engine. No DOM. This is the core, for texts and truths: what a simple form needs. functions.js adds
 * numbers, dates, repeats and the other functions; scripts_needed() of analyse.py says for which IR.
 *
 * env: row (the row to evaluate for), now ([epoch milliseconds, minutes east of Greenwich]), lang, lists (id -> items),
 * random(). Inside a predicate functions.js puts focus (position, size, item) and home (the env outside) there.
 * @typedef {{days: number, offset?: number}} Moment  made by functions.js
 * @typedef {Object<string, string>} Item
 * @typedef {any[]} Row  [parent row, slot, …]: text or null in a value's slot, rows in a repeat's
 * @typedef {number|string|boolean|Moment|any[]} Value  an array is a node-set: texts, rows or items
 * @typedef {{row: Row, now: number[], lang: string, lists: Object<string, Item[]>, random: () => number,
 *   focus?: [number, number, Item?], home?: Env}} Env
 * @typedef {any[]} IR
 */

// Spaces are XML's: Python and the browser would differ on the others.
const NUMBER = /^[ \t\r\n]*-?(\d+\.?\d*|\.\d+)[ \t\r\n]*$/;

/**
 * What functions.js replaces with casts that know dates and every number.
 * @type {{text: (value: Value) => string, stored: (value: Value, type?: string, offset?: number) => string}}
 */
export const casts = {
  text: (value) => String(Array.isArray(value) ? value[0] || "" : value),
  stored: (value) => casts.text(value),
};

/** Cast to text. @param {Value} value @returns {string} */
export const toText = (value) => casts.text(value);

/**
 * What a question of the bind type `type` keeps of a value; offset: minutes east of Greenwich.
 * @param {Value} value @param {string} [type] @param {number} [offset] @returns {string}
 */
export const storedText = (value, type, offset) => casts.stored(value, type, offset);

/** Read a number as XPath writes it. @param {string} text @returns {number} */
export const readNumber = (text) => NUMBER.test(text) ? +text : NaN;

/** Cast to true or false as XPath does. @param {Value} value @returns {boolean} */
export const truth = (value) => Array.isArray(value) ? value.length > 0 : !!value;

/** Cast by value: "", 0 and "false" are false too. @param {Value} value @returns {boolean} */
export const toBoolean = (value) => typeof value == "string"
  ? value != "" && value != "false" && readNumber(value) !== 0 : truth(value);

/** @param {Value} value */
export const normalize = (value) => toText(value).replace(/[ \t\r\n]+/g, " ").replace(/^ | $/g, "");

/** Tokens of a select_multiple; an empty one gives one empty token. @param {Value} value */
export const tokens = (value) => normalize(value).split(" ");

/** Evaluate `ir` for env.row. @param {IR} ir @param {Env} env @returns {any} */
export const evaluate = (ir, env) => kinds[ir[0]](ir, env);

/** @param {Value} a @param {Value} b */
const equal = (a, b) => typeof a == "boolean" || typeof b == "boolean" ? truth(a) == truth(b) : a == b;

/** Operators and functions, on operands still to evaluate. @type {Object<string, (env: Env, ...operands: any[]) => Value>} */
export const calls = {
  true: () => true,
  false: () => false,
  not: (env, a) => !truth(evaluate(a, env)),
  and: (env, ...all) => all.every((each) => truth(evaluate(each, env))),
  or: (env, ...all) => all.some((each) => truth(evaluate(each, env))),
  "=": (env, a, b) => equal(evaluate(a, env), evaluate(b, env)),
  "!=": (env, a, b) => !equal(evaluate(a, env), evaluate(b, env)),
  selected: (env, a, b) => tokens(evaluate(a, env)).includes(normalize(evaluate(b, env))),
  if: (env, test, yes, no) => evaluate(truth(evaluate(test, env)) ? yes : no, env),
  coalesce(env, a, b) {
    const value = evaluate(a, env);
    return storedText(value) ? value : evaluate(b, env);
  },
  once: (env, a, b) => calls.coalesce(env, a, b),
};

/** @type {Object<string, (ir: IR, env: Env) => any>} */
export const kinds = {
  n: (ir) => ir[1],
  s: (ir) => ir[1],
  v: (ir, env) => env.row[ir[2]] || "",
  c: (ir, env) => evaluate(ir[1], env),
  t: (ir, env) => toBoolean(evaluate(ir[1], env)),
  b: (ir, env) => calls[ir[1]](env, ...ir.slice(2)),
  f: (ir, env) => kinds.b(ir, env),
  i: (ir, env) => ir[2].reduce((/** @type {Item[]} */ items, /** @type {IR} */ [, column, key]) => {
    const value = evaluate(key, env);
    return items.filter((item) => (item[column] || "") == value);
  }, env.lists[ir[1]] || []).map((/** @type {Item} */ item) => item[ir[3]]).filter((/** @type {any} */ text) => text != null),
};
