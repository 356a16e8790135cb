// @ts-check
/**
 * What simple forms do without: numbers, dates, repeats and the functions beyond the core. Importing it makes engine.js
 * know them; the page does so where scripts_needed() of analyse.py says so. Three parts: values and casts (values.py),
 * functions (functions.py), and the rest of the interpreter (build.py, operators.py).
 *
 * A date is a day count without a zone; a date-time is an instant in days that remembers its offset in minutes.
 * @typedef {import("./engine.js").Moment} Moment
 * @typedef {import("./engine.js").Value} Value
 * @typedef {import("./engine.js").Item} Item
 * @typedef {import("./engine.js").Row} Row
 * @typedef {import("./engine.js").Env} Env
 * @typedef {import("./engine.js").IR} IR
 */
import { calls, casts, evaluate, kinds, normalize, readNumber, toText, tokens, truth } from "./engine.js";

// -- values and casts

export const DAY = 864e5;
export const CLOCK = "([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:\\.([0-9]{1,9}))?)?(Z|[+-][0-9]{2}(?::?[0-9]{2})?)?$";
const DATE_TIME = new RegExp("^[ \\t\\r\\n]*([0-9]{4}-[0-9]{2}-[0-9]{2})(?:T" + CLOCK.slice(0, -1) + ")?[ \\t\\r\\n]*$");

/** @param {any} value @returns {boolean} */
const isMoment = (value) => !!value && value.days === +value.days;

/** Join all the texts in a row, or in some slots of it. @param {Row} row @param {number[]} [slots] @returns {string} */
export const rowText = (row, slots) => (slots ? slots.map((slot) => row[slot]) : row.slice(1))
  .map((held) => Array.isArray(held) ? held.map((inner) => rowText(inner)).join("") : held || "").join("");

/** Write a number without an exponent. @param {number} value */
function numberText(value) {
  const text = String(Math.abs(value));
  const parts = /^(.)\.?(\d*)e(.+)$/.exec(text);
  const power = parts ? +parts[3] : 0;
  const digits = parts ? parts[1] + parts[2] : text;
  return (value < 0 ? "-" : "") + (power < 0 ? "0." + "0".repeat(-power - 1) + digits : digits.padEnd(power + 1, "0"));
}

/** Cast to text; NaN gives "NaN". @param {Value} value @returns {string} */
casts.text = (value) => {
  if (Array.isArray(value)) return typeof value[0] == "string" ? value[0] : "";
  if (isMoment(value)) return momentText(/** @type {Moment} */ (value));
  return typeof value == "number" ? numberText(value) : String(value);
};

/** Read a number, or a moment where the value is one. @param {Value} value @param {number} offset @returns {any} */
function reading(value, offset) {
  if (isMoment(value) || typeof value == "number") return value;
  if (typeof value == "boolean") return +value;
  const text = toText(value);
  const number = readNumber(text);
  return number === number ? number : parseMoment(text, offset) || NaN;
}

/** Cast to a number. @param {Value} value @param {number} [offset] @returns {number} */
export function toNumber(value, offset) {
  const read = reading(value, offset || 0);
  return isMoment(read) ? read.days : read;
}

/** Read an ISO date or date-time; null for none. @param {string} text @param {number} offset @returns {Moment|null} */
function parseMoment(text, offset) {
  const parts = DATE_TIME.exec(text);
  const day = parts ? Date.parse(parts[1] + "T00:00Z") : NaN;
  // 30 February rolls over in some browsers; year 0000 is none in Python.
  if (!parts || day !== day || parts[1] < "0001" || new Date(day).toISOString().slice(0, 10) != parts[1]) return null;
  if (!parts[2]) return { days: day / DAY };
  const clock = clockMilliseconds(parts.slice(2));
  const zone = zoneMinutes(parts[6], offset);
  return clock === clock && zone === zone ? { days: (day + clock - zone * 6e4) / DAY, offset: zone } : null;
}

/** Milliseconds since midnight, NaN past 23:59:59.999. @param {string[]} parts hour, minute, second, fraction */
export function clockMilliseconds(parts) {
  const [hour, minute, second] = parts.map((part) => +(part || 0));
  return hour > 23 || minute > 59 || second > 59 ? NaN
    : ((hour * 60 + minute) * 60 + second) * 1000 + +(parts[3] || "0").padEnd(3, "0").slice(0, 3);
}

/** Minutes east of Greenwich, NaN past 23:59. @param {string|undefined} zone @param {number} offset */
export function zoneMinutes(zone, offset) {
  if (!zone) return offset;
  const hours = +zone.slice(1, 3);
  const minutes = zone.length > 3 ? +zone.slice(-2) : 0;
  return hours > 23 || minutes > 59 ? NaN : (hours * 60 + minutes) * (zone[0] == "-" ? -1 : 1);
}

/** Date whose UTC fields show the wall clock at `offset`. @param {Moment} moment @param {number} offset */
const wallClock = (moment, offset) =>
  new Date(Math.floor(moment.days * DAY + (moment.offset == null ? 0 : offset * 6e4) + 0.5));

/** Calendar day a moment is written with. @param {Moment} moment */
const wallDay = (moment) => Math.floor(moment.days + (moment.offset || 0) / 1440);

/** @param {number} number */
const two = (number) => String(number).padStart(2, "0");

/** @param {number} offset */
function zoneText(offset) {
  const size = Math.abs(offset);
  return offset ? (offset < 0 ? "-" : "+") + two(Math.floor(size / 60)) + ":" + two(size % 60) : "Z";
}

/** @param {Moment} moment */
function momentText(moment) {
  const text = wallClock(moment, moment.offset || 0).toISOString();
  return moment.offset == null ? text.slice(0, 10) : text.slice(0, -1) + zoneText(moment.offset);
}

/** Read a value as a moment; a number is a day count. @param {Value} value @param {number} offset @returns {Moment|null} */
export function toMoment(value, offset) {
  const read = reading(value, offset);
  const days = isMoment(read) ? read.days : read;
  // The years 1 to 9999, with a day to spare for offsets; false for NaN.
  if (!(days > -719162 && days < 2932896)) return null;
  return isMoment(read) ? read : days === Math.floor(days) ? { days } : { days, offset };
}

/** Keeps NaN as "", and numbers and truths as the bind type asks. */
casts.stored = (value, type, offset) => {
  const isPlain = typeof value == "string" || Array.isArray(value);
  if (value !== value) return "";
  if ((type == "date" || type == "dateTime") && !isPlain) {
    const moment = toMoment(value, offset || 0);
    if (!moment) return "";
    if (type == "date") return momentText({ days: wallDay(moment) });
    return momentText(moment) + (moment.offset == null ? "T00:00:00.000" + zoneText(offset || 0) : "");
  }
  return type == "int" && !isPlain ? numberText(Math.trunc(toNumber(value, offset))) : toText(value);
};

// -- functions: each takes the environment and its evaluated arguments

const MONTHS = ["ene feb mar abr may jun jul ago sep oct nov dic", "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"];
const WEEKDAYS = ["dom lun mar mié jue vie sáb", "Sun Mon Tue Wed Thu Fri Sat"];
const MAX_VALUE_LENGTH = 1000;

/** Lay out node-sets among their fellow values. @param {Value[]} values @returns {Value[]} */
export const nodes = (values) => [].concat(.../** @type {any} */ (values));

/** @param {Value[]} values @returns {number[]} */
const numbers = (values) => nodes(values).map((value) => toNumber(value));

/** Characters as Python counts them: an emoji is one. @param {Value} value */
export const characters = (value) => Array.from(toText(value));

/** Round halves away from zero. @param {number} number */
const halfAway = (number) => number < 0 ? -Math.round(-number) : Math.round(number);

/** Make min() or max(): NaN for no nodes and where any is not a number. @param {(...found: number[]) => number} pick */
const extreme = (pick) => (/** @type {any} */ env, /** @type {Value[]} */ ...values) => {
  const found = numbers(values);
  return found.length ? pick(...found) : NaN;
};

/**
 * Text of a name in env.lang, from a list with a column a language; the name itself where there is none.
 * @param {Env} env @param {string} list @param {string} name
 */
function named(env, list, name) {
  const item = (env.lists[list] || []).find((each) => each.name == name);
  return item && item[env.lang] || name;
}

/** Write a date by a pattern. @param {any} env @param {Value} value @param {Value} pattern */
function formatDate(env, value, pattern) {
  const moment = toMoment(value, env.now[1]);
  if (!moment) return "";
  const date = wallClock(moment, env.now[1]);
  const text = date.toISOString();
  const english = /(^|[^a-z0-9_])en/i.test(env.lang) ? 1 : 0;
  /** @type {Object<string, string|number>} */
  const fields = {
    Y: text.slice(0, 4), y: text.slice(2, 4), m: text.slice(5, 7), n: +text.slice(5, 7), d: text.slice(8, 10),
    e: +text.slice(8, 10), H: text.slice(11, 13), h: +text.slice(11, 13), M: text.slice(14, 16), S: text.slice(17, 19),
    3: text.slice(20, 23), a: WEEKDAYS[english].split(" ")[date.getUTCDay()],
    b: MONTHS[english].split(" ")[date.getUTCMonth()],
  };
  return toText(pattern).replace(/%([YymnbdeHhMS3a])/g, (_, mark) => String(fields[mark]));
}

/** @type {Object<string, (env: any, ...values: any[]) => Value>} */
export const functions = {};

/** Add functions, and let the core call them with their arguments evaluated. @param {typeof functions} more */
export function register(more) {
  Object.assign(functions, more);
  for (const name of Object.keys(more)) {
    calls[name] = (env, ...operands) => more[name](env, ...operands.map((operand) => evaluate(operand, env)));
  }
}

register({
  boolean: (env, a) => truth(a),
  number(env, a) {
    const read = reading(a, env.now[1]);
    return isMoment(read) ? wallDay(read) : read;
  },
  string: (env, a) => toText(a),
  int: (env, a) => Math.trunc(toNumber(a)),
  round(env, a, places) {
    const number = typeof a == "string" ? readNumber(a.replace(",", ".")) : toNumber(a);
    const digits = places == null ? 0 : Math.max(-300, Math.min(15, Math.trunc(toNumber(places))));
    const scale = Math.pow(10, Math.abs(digits));
    return digits < 0 ? halfAway(number / scale) * scale : halfAway(number * scale) / scale;
  },
  floor: (env, a) => Math.floor(toNumber(a)),
  "selected-at": (env, a, index) => tokens(a)[Math.trunc(toNumber(index))] || "",
  "count-selected": (env, a) => normalize(a) ? tokens(a).length : 0,
  concat: (env, ...values) => nodes(values).map(toText).join(""),
  join: (env, glue, ...values) => nodes(values).map(toText).join(toText(glue)),
  "string-length": (env, a) => characters(a).length,
  "normalize-space": (env, a) => normalize(a),
  substr: (env, a, start, end) => characters(a)
    .slice(toNumber(start) || 0, end == null ? undefined : toNumber(end) || 0).join(""),
  "substring-before": (env, a, b) => toText(a).slice(0, Math.max(toText(a).indexOf(toText(b)), 0)),
  "substring-after"(env, a, b) {
    const at = toText(a).indexOf(toText(b));
    return at < 0 ? "" : toText(a).slice(at + toText(b).length);
  },
  contains: (env, a, b) => toText(a).includes(toText(b)),
  "starts-with": (env, a, b) => toText(a).startsWith(toText(b)),
  count: (env, a) => a.length,
  sum: (env, a) => numbers([a]).reduce((total, number) => total + number, 0),
  min: extreme(Math.min),
  max: extreme(Math.max),
  today: (env) => ({ days: Math.floor((env.now[0] + env.now[1] * 6e4) / DAY) }),
  now: (env) => ({ days: env.now[0] / DAY, offset: env.now[1] }),
  date(env, a) {
    const moment = toMoment(a, env.now[1]);
    return moment ? { days: wallDay(moment) } : "";
  },
  "decimal-date-time": (env, a) => toNumber(a, env.now[1]),
  "format-date": formatDate,
  "format-date-time": formatDate,
  random: (env) => env.random(),
  position: (env) => env.focus ? env.focus[0] : 1,
  last: (env) => env.focus ? env.focus[1] : 1,
  regex(env, a, pattern) {
    const text = toText(a);
    return text.length <= MAX_VALUE_LENGTH && new RegExp(pattern, "u").test(text);
  },
  "jr:choice-name": (env, a, path) => named(env, path, toText(a)),
  "jr:itext": (env, a) => named(env, "jr:itext", toText(a)),
});

// -- interpreter

/** @param {any} text */
const isGiven = (text) => text != null;

/** @param {Row} row @param {number} up @returns {Row} */
const climb = (row, up) => up ? climb(row[0], up - 1) : row;

/** @param {IR} ir @param {Env} env */
const toNumberHere = (ir, env) => toNumber(evaluate(ir, env), env.now[1]);

/** @type {typeof kinds} */
const moreKinds = {
  v: (ir, env) => climb(env.row, ir[1])[ir[2]] || "",
  k: (ir, env) => env.focus && env.focus[2] && env.focus[2][ir[1]] || "",
  c: (ir, env) => evaluate(ir[1], env.home || env),
  neg: (ir, env) => -toNumberHere(ir[1], env),
  p(ir, env) {
    const wanted = climb(env.row, ir[1]);
    return wanted[0][ir[2]].indexOf(wanted) + 1;
  },
  i(ir, env) {
    const found = ir[2].reduce((/** @type {Item[]} */ all, /** @type {IR} */ predicate) => predicate[0] == "x"
      ? lookUp(predicate, all, env) : filter(all, predicate, env), env.lists[ir[1]] || []);
    return ir[3] == null ? found : found.map((/** @type {Item} */ item) => item[ir[3]]).filter(isGiven);
  },
  r(ir, env) {
    return evaluateNodes(ir, env).map((each) => Array.isArray(each) ? rowText(each, ir[3]) : each);
  },
};
Object.assign(kinds, moreKinds);

/** List the nodes of a node-set IR: rows, items or texts. @param {IR} ir @param {Env} env @returns {any[]} */
export function evaluateNodes(ir, env) {
  if (ir[0] == "c") return evaluateNodes(ir[1], env.home || env);
  if (ir[0] == "i") return kinds.i(ir, env);
  if (ir[0] == "f") {
    const seeds = ir.slice(3).map((seed) => evaluate(seed, env));
    return /** @type {any[]} */ (functions.randomize(env, evaluateNodes(ir[2], env), ...seeds));
  }
  const rows = ir[2].reduce((/** @type {Row[]} */ found, /** @type {IR} */ step) => follow(step, env, found), [climb(env.row, ir[1])]);
  return ir[3] === +ir[3] ? rows.map((/** @type {Row} */ each) => each[ir[3]]).filter(isGiven) : rows;
}

/** One step of a walk through rows. @param {IR} step @param {Env} env @param {Row[]} rows @returns {Row[]} */
function follow([slot, predicates, index], env, rows) {
  if (slot == 0) return Array.from(new Set(rows.map((each) => each[0])));
  const at = index && Math.trunc(toNumber(evaluate(index, env)));
  return [].concat(.../** @type {any} */ (rows.map((each) => {
    const held = slot < 0 ? [each] : each[slot] || [];
    if (index) return held[at - 1] ? [held[at - 1]] : [];
    return predicates.reduce((/** @type {Row[]} */ found, /** @type {IR} */ predicate) => filter(found, predicate, env), held);
  })));
}

/**
 * Keep the rows or items that a predicate accepts: a number is a position.
 * @param {any[]} found @param {IR} predicate @param {Env} env
 */
function filter(found, predicate, env) {
  const inner = { ...env, home: env.home || env };
  return found.filter((each, at) => {
    if (Array.isArray(each)) inner.row = each;
    inner.focus = Array.isArray(each) ? [at + 1, found.length] : [at + 1, found.length, each];
    const value = evaluate(predicate, inner);
    return typeof value == "number" ? value == at + 1 : truth(value);
  });
}

/**
 * Answer ["x", column, key], the usual choice filter: the key is evaluated once.
 * @param {IR} predicate @param {Item[]} all @param {Env} env
 */
function lookUp([, column, key], all, env) {
  const value = evaluate(key, env);
  return all.filter((item) => among(item[column] || "", value, equal, env.now[1]));
}

// -- operators

/** @type {Object<string, (a: number, b: number) => number>} */
const arithmetic = {
  "+": (a, b) => a + b,
  "-": (a, b) => a - b,
  "*": (a, b) => a * b,
  div: (a, b) => a / b,
  mod: (a, b) => a % b,
};

/** Two values as numbers; a date meets a date-time on its wall clock. @param {Value} a @param {Value} b @param {number} offset */
function pair(a, b, offset) {
  const both = [reading(a, offset), reading(b, offset)];
  const mixed = both.every(isMoment) && (both[0].offset == null) != (both[1].offset == null);
  return both.map((read) => isMoment(read) ? read.days + (mixed ? (read.offset || 0) / 1440 : 0) : read);
}

/** @param {Value} a @param {Value} b @param {number} offset */
function equal(a, b, offset) {
  if (typeof a == "boolean" || typeof b == "boolean") return truth(a) == truth(b);
  if (typeof a == "string" && typeof b == "string") return a == b;
  const [x, y] = pair(a, b, offset);
  return x == y || Math.abs(x - y) < 1e-12;
}

/** Make a comparison by size. @param {(x: number, y: number) => boolean} holds */
const order = (holds) => (/** @type {Value} */ a, /** @type {Value} */ b, /** @type {number} */ offset) => {
  const [x, y] = pair(a, b, offset);
  return holds(x, y);
};

/** @type {Object<string, (a: Value, b: Value, offset: number) => boolean>} */
const compare = {
  "=": equal,
  "!=": (a, b, offset) => !equal(a, b, offset),
  "<": order((x, y) => x < y),
  "<=": order((x, y) => x <= y),
  ">": order((x, y) => x > y),
  ">=": order((x, y) => x >= y),
};

/**
 * Whether it holds for the two values, or for any nodes of theirs.
 * @param {any} a @param {any} b @param {(a: any, b: any, offset: number) => boolean} holds @param {number} offset
 * @returns {boolean}
 */
function among(a, b, holds, offset) {
  if (Array.isArray(a) && typeof b != "boolean") return a.some((node) => among(toText([node]), b, holds, offset));
  if (Array.isArray(b) && typeof a != "boolean") return b.some((node) => among(a, toText([node]), holds, offset));
  return holds(a, b, offset);
}

// NaN is nothing to keep.
calls.once = (env, ...operands) => calls.coalesce(env, ["f", "coalesce", ...operands], ["s", ""]);
for (const operator of Object.keys(arithmetic)) {
  calls[operator] = (env, ...operands) => operands.map((operand) => toNumberHere(operand, env)).reduce(arithmetic[operator]);
}
for (const operator of Object.keys(compare)) {
  calls[operator] = (env, a, b) => among(evaluate(a, env), evaluate(b, env), compare[operator], env.now[1]);
}
