// @ts-check
/**
 * Functions few forms use: the same ones as collector/forms/expressions/rare.py. Importing it makes engine.js know them;
 * the page does so only where the form's expressions call one of them.
 * @typedef {import("./engine.js").Value} Value
 * @typedef {import("./engine.js").IR} IR
 */
import {
  CLOCK, DAY, characters, clockMilliseconds, evaluateNodes, functions, nodes, register, rowText, toMoment, toNumber, zoneMinutes,
} from "./functions.js";
import { calls, readNumber, toBoolean, toText, truth } from "./engine.js";

const TIME = new RegExp("^(?:.{10}T)?" + CLOCK);
const EARTH_RADIUS_METRES = 6378100;

/** Whether a checklist's total lies between its bounds; -1 is no bound. @param {Value} least @param {Value} most @param {number} total */
function holds(least, most, total) {
  const low = toNumber(least);
  const high = toNumber(most);
  return (low == -1 || total >= low) && (high == -1 || total <= high);
}

/** 1 for a truth; of a node-set, the nodes that count by their value. @param {Value} mark @returns {number} */
const ticks = (mark) => Array.isArray(mark) ? mark.filter((node) => toBoolean(node)).length : +truth(mark);

/** @param {number} degrees */
const radians = (degrees) => degrees * (Math.PI / 180);

/** Round to 12 digits: the last ones of a sine differ between machines, and a node compares. @param {number} number */
const steady = (number) => Math.abs(number) < 9007199254740992 && number % 1 == 0 ? number : +number.toPrecision(12);

/** Make a function of numbers. @param {(...numbers: number[]) => number} compute */
const numeric = (compute) => (/** @type {any} */ env, /** @type {Value[]} */ ...values) => steady(compute(...values.map((value) => toNumber(value))));

/** "lat lon alt accuracy"; NaN for what is no place on earth. @param {string} text @returns {number[]} */
function point(text) {
  const [latitude, longitude] = text.trim().split(/\s+/).map(readNumber);
  return Math.abs(latitude) <= 90 && Math.abs(longitude) <= 180 ? [latitude, longitude] : [NaN, NaN];
}

/** "lat lon …;lat lon …" and nodes with a point each. @param {Value[]} values @returns {number[][]} */
const points = (values) => [].concat(.../** @type {any} */ (nodes(values).map((value) => toText(value).split(";"))))
  .filter((/** @type {string} */ text) => text.trim()).map(point);

/** @param {number} metres */
const rounded = (metres) => Math.floor(metres * 100 + 0.5) / 100;

/** Metres between two points (haversine). @param {number[]} start @param {number[]} end */
function arc(start, end) {
  const across = Math.pow(Math.sin((radians(end[0]) - radians(start[0])) / 2), 2);
  const along = Math.cos(radians(start[0])) * Math.cos(radians(end[0])) * Math.pow(Math.sin(radians(end[1] - start[1]) / 2), 2);
  return 2 * EARTH_RADIUS_METRES * Math.asin(Math.min(1, Math.sqrt(across + along)));
}

/** The "minimal standard" generator of fractions for a seed. @param {number} seed */
function parkMiller(seed) {
  let state = isFinite(seed) ? Math.trunc(seed) % 2147483647 : 0;
  if (state <= 0) state += 2147483646;
  return () => {
    state = state * 16807 % 2147483647;
    return (state - 1) / 2147483646;
  };
}

/** Seed as a number; a text that is none counts by its hash, an empty one as 0. @param {Value} seed */
function seedNumber(seed) {
  const number = toNumber(seed);
  const text = typeof seed == "string" || Array.isArray(seed) ? toText(seed) : "";
  return number === number ? number : text ? textSeed(String(functions.digest({}, text, "sha-256", "hex"))) : 0;
}

/** First 64 bits of a hash as a signed number, modulo 2^31 - 1 (which 2^32 leaves 2 over). @param {string} hash */
function textSeed(hash) {
  const [high, low] = [0, 8].map((at) => parseInt(hash.slice(at, at + 8), 16));
  return high < 2147483648 ? (high * 2 + low) % 2147483647 : -(((4294967295 - high) * 2 + 4294967296 - low) % 2147483647);
}

/** @param {any} held what a row holds: text, null or rows */
const isHeld = (held) => held != null && !(Array.isArray(held) && !held.length);

/** Slots of a row that a node-set of groups means. @param {IR} ir @returns {number[]|undefined} */
const groupSlots = (ir) => ir[0] == "c" ? groupSlots(ir[1]) : ir[0] == "f" ? groupSlots(ir[2])
  : Array.isArray(ir[3]) ? ir[3] : undefined;

register({
  "boolean-from-string": (env, a) => toText(a) == "1" || toText(a) == "true",
  ceiling: (env, a) => Math.ceil(toNumber(a)),
  abs: (env, a) => Math.abs(toNumber(a)),
  pow: numeric(Math.pow),
  substring(env, a, start, count) {
    const first = Math.round(toNumber(start));
    const end = count == null ? Infinity : first + Math.round(toNumber(count));
    return characters(a).filter((_, at) => at + 1 >= first && at + 1 < end).join("");
  },
  "ends-with": (env, a, b) => toText(a).endsWith(toText(b)),
  translate(env, a, from, to) {
    const letters = characters(from);
    const others = characters(to);
    return characters(a).map((each) => {
      const at = letters.indexOf(each);
      return at < 0 ? each : others[at] || "";
    }).join("");
  },
  "date-time"(env, a) {
    const moment = toMoment(a, env.now[1]);
    return !moment ? "" : moment.offset == null ? moment : { days: moment.days, offset: env.now[1] };
  },
  "decimal-time"(env, a) {
    const text = toText(a);
    const parts = TIME.exec(text);
    if (!parts || text[10] == "T" && !toMoment(a, 0)) return NaN;
    const time = clockMilliseconds(parts.slice(1)) + (env.now[1] - zoneMinutes(parts[5], env.now[1])) * 6e4;
    return (time % DAY + DAY) % DAY / DAY;
  },
  uuid(env, length) {
    const letter = (/** @type {number} */ size) => Math.floor(env.random() * size);
    if (length == null) {
      return "xxxxxxxx-xxxx-4xxx-yxxx-xxxxxxxxxxxx".replace(/[xy]/g, (mark) => (mark == "x" ? letter(16) : letter(4) + 8).toString(16));
    }
    const size = Math.trunc(toNumber(length));
    return Array.from({ length: size < 1000 ? size : 0 }, () => {
      const at = letter(62);
      return at < 36 ? at.toString(36).toUpperCase() : (at - 26).toString(36);
    }).join("");
  },
  checklist: (env, least, most, ...marks) => holds(least, most, marks.reduce((total, mark) => total + ticks(mark), 0)),
  "weighted-checklist": (env, least, most, ...pairs) => holds(least, most,
    pairs.reduce((total, mark, at) => total + (at % 2 || at + 1 == pairs.length || !ticks(mark) ? 0 : toNumber(pairs[at + 1])), 0)),
  sqrt: numeric(Math.sqrt),
  exp: numeric(Math.exp),
  exp10: numeric((a) => Math.pow(10, a)),
  log: numeric(Math.log),
  log10: numeric(Math.log10),
  pi: () => Math.PI,
  sin: numeric(Math.sin),
  cos: numeric(Math.cos),
  tan: numeric(Math.tan),
  asin: numeric(Math.asin),
  acos: numeric(Math.acos),
  atan: numeric(Math.atan),
  atan2: numeric(Math.atan2),
  area(env, ...values) {
    const corners = points(values);
    if (corners.length < 3) return 0;
    const total = corners.reduce((sum, [latitude, longitude], at) => {
      const next = corners[(at + 1) % corners.length];
      return sum + radians(next[1] - longitude) * (2 + Math.sin(radians(latitude)) + Math.sin(radians(next[0])));
    }, 0);
    return rounded(Math.abs(total * EARTH_RADIUS_METRES * EARTH_RADIUS_METRES / 2));
  },
  distance(env, ...values) {
    const places = points(values);
    if (!places.length || places.some((place) => place[0] !== place[0])) return NaN;
    return rounded(places.slice(1).reduce((sum, place, at) => sum + arc(places[at], place), 0));
  },
  geofence(env, place, shape) {
    const spot = points([place])[0];
    const corners = points([shape]);
    if (!spot || corners.length < 3 || String(corners[0]) != String(corners[corners.length - 1])) return false;
    return corners.slice(1).reduce((inside, [there, thereAlong], at) => {
      const [here, hereAlong] = corners[at];
      const crosses = (hereAlong > spot[1]) != (thereAlong > spot[1])
        && spot[0] < (there - here) * (spot[1] - hereAlong) / (thereAlong - hereAlong) + here;
      return crosses ? !inside : inside;
    }, false);
  },
  "base64-decode"(env, a) {
    const text = toText(a);
    if (!/^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/.test(text)) return "";
    try {
      return decodeURIComponent(atob(text).replace(/[^]/g, (byte) => "%" + byte.charCodeAt(0).toString(16).padStart(2, "0")));
    } catch (error) {
      return "";
    }
  },
  randomize(env, value, seed) {
    const draw = seed == null ? env.random : parkMiller(seedNumber(seed));
    /** @type {any[]} */
    const found = [];
    for (const node of value) {
      // "inside-out" Fisher-Yates: the newcomer takes a place, who stood there goes to the end
      const other = Math.floor(draw() * (found.length + 1));
      found.push(found[other]);
      found[other] = node;
    }
    return found;
  },
});

// Texts that are not empty; rows and groups that hold any question at all.
calls["count-non-empty"] = (env, nodes) => {
  const slots = groupSlots(nodes);
  return evaluateNodes(nodes, env).filter((node) => Array.isArray(node)
    ? (slots ? slots.map((slot) => node[slot]) : node.slice(1)).some(isHeld) : node !== "").length;
};
calls.randomize = (env, nodes, ...seed) => evaluateNodes(["f", "randomize", nodes, ...seed], env)
  .map((node) => Array.isArray(node) ? rowText(node, groupSlots(nodes)) : node);
