// @ts-check
/**
 * digest(): MD5, SHA-1, SHA-256, SHA-384 and SHA-512, the same as collector/forms/expressions/digest.py. The page
 * fetches it only for a form that calls digest(), or randomize() with a seed that may be a text. crypto.subtle does not
 * serve: it answers later, is missing on plain http and knows no MD5.
 */
import { register } from "./functions.js";
import { toText } from "./engine.js";

const primes = [2];
for (let number = 3; primes.length < 80; number += 2) if (primes.every((prime) => number % prime)) primes.push(number);

/** Whole part of a root, by Newton's method. @param {bigint} number @param {bigint} degree @returns {bigint} */
function root(number, degree) {
  let found = 1n << BigInt(Math.ceil(number.toString(2).length / Number(degree)));
  for (;;) {
    const next = ((degree - 1n) * found + number / found ** (degree - 1n)) / degree;
    if (next >= found) return found;
    found = next;
  }
}

/** First 64 bits after the point of the roots of primes. @param {number} from @param {number} to @param {bigint} degree */
const fractions = (from, to, degree) =>
  primes.slice(from, to).map((prime) => BigInt.asUintN(64, root(BigInt(prime) << (64n * degree), degree)));

/** @param {number} word @param {number} by */
const left = (word, by) => (word << by) | (word >>> (32 - by));

/**
 * Bytes with their padding and length, for blocks of `size` bytes.
 * @param {Uint8Array} bytes @param {number} size @param {boolean} [little] the length's low byte stands first
 */
function padded(bytes, size, little) {
  const whole = new Uint8Array(Math.ceil((bytes.length + 1 + size / 8) / size) * size);
  whole.set(bytes);
  whole[bytes.length] = 128;
  const view = new DataView(whole.buffer);
  view.setUint32(whole.length - (little ? 8 : 4), bytes.length * 8, little);
  view.setUint32(whole.length - (little ? 4 : 8), Math.floor(bytes.length / 536870912), little);
  return view;
}

/** MD5. @param {Uint8Array} bytes */
function md5(bytes) {
  const view = padded(bytes, 64, true);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476];
  for (let block = 0; block < view.byteLength; block += 64) {
    let [a, b, c, d] = state;
    for (let step = 0; step < 64; step++) {
      const round = step >> 4;
      const mixed = [(b & c) | (~b & d), (d & b) | (~d & c), b ^ c ^ d, c ^ (b | ~d)][round];
      const word = view.getUint32(block + 4 * ((step * [1, 5, 3, 7][round] + [0, 1, 5, 0][round]) % 16), true);
      const sum = a + mixed + word + Math.floor(Math.abs(Math.sin(step + 1)) * 4294967296);
      const turn = [[7, 12, 17, 22], [5, 9, 14, 20], [4, 11, 16, 23], [6, 10, 15, 21]][round][step % 4];
      [a, b, c, d] = [d, (b + left(sum | 0, turn)) | 0, b, c];
    }
    [a, b, c, d].forEach((word, at) => { state[at] = (state[at] + word) | 0; });
  }
  return hex(state, 8).replace(/(..)(..)(..)(..)/g, "$4$3$2$1");
}

/** SHA-1. @param {Uint8Array} bytes */
function sha1(bytes) {
  const view = padded(bytes, 64);
  const state = [0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0];
  for (let block = 0; block < view.byteLength; block += 64) {
    /** @type {number[]} */
    const words = [];
    let [a, b, c, d, e] = state;
    for (let step = 0; step < 80; step++) {
      words[step] = step < 16 ? view.getInt32(block + 4 * step)
        : left(words[step - 3] ^ words[step - 8] ^ words[step - 14] ^ words[step - 16], 1);
      const round = Math.floor(step / 20);
      const mixed = [(b & c) | (~b & d), b ^ c ^ d, (b & c) | (b & d) | (c & d), b ^ c ^ d][round];
      const sum = left(a, 5) + mixed + e + words[step] + [0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xca62c1d6][round];
      [a, b, c, d, e] = [sum | 0, a, left(b, 30), c, d];
    }
    [a, b, c, d, e].forEach((word, at) => { state[at] = (state[at] + word) | 0; });
  }
  return hex(state, 8);
}

/** SHA-2 with words of 32 or 64 bits; turns: how far each of its sums rotates (the last of a small one shifts). */
const LARGE = { bits: 64, rounds: 80, turns: [[1, 8, 7], [19, 61, 6], [28, 34, 39], [14, 18, 41]] };
const SMALL = { bits: 32, rounds: 64, turns: [[7, 18, 3], [17, 19, 10], [2, 13, 22], [6, 11, 25]] };

/**
 * @param {Uint8Array} bytes @param {typeof LARGE} kind @param {bigint[]} start @param {number} length words to keep
 */
function sha2(bytes, { bits, rounds, turns }, start, length) {
  const view = padded(bytes, bits * 2);
  const cut = (/** @type {bigint} */ word) => BigInt.asUintN(bits, word);
  const turn = (/** @type {bigint} */ word, /** @type {number} */ by) => (word >> BigInt(by)) | cut(word << BigInt(bits - by));
  const mix = (/** @type {bigint} */ word, /** @type {number} */ which) => {
    const [one, two, three] = turns[which];
    return turn(word, one) ^ turn(word, two) ^ (which < 2 ? word >> BigInt(three) : turn(word, three));
  };
  const spare = BigInt(64 - bits);
  const constants = fractions(0, rounds, 3n).map((word) => word >> spare);
  const state = start.map((word) => word >> spare);
  for (let block = 0; block < view.byteLength; block += bits * 2) {
    /** @type {bigint[]} */
    const words = [];
    let [a, b, c, d, e, f, g, h] = state;
    for (let step = 0; step < rounds; step++) {
      words[step] = step < 16
        ? bits == 64 ? view.getBigUint64(block + 8 * step) : BigInt(view.getUint32(block + 4 * step))
        : cut(words[step - 16] + mix(words[step - 15], 0) + words[step - 7] + mix(words[step - 2], 1));
      const sum = h + mix(e, 3) + ((e & f) ^ (~e & g)) + constants[step] + words[step];
      const other = mix(a, 2) + ((a & b) ^ (a & c) ^ (b & c));
      [a, b, c, d, e, f, g, h] = [cut(sum + other), a, b, c, cut(d + sum), e, f, g];
    }
    [a, b, c, d, e, f, g, h].forEach((word, at) => { state[at] = cut(state[at] + word); });
  }
  return hex(state.slice(0, length), bits / 4);
}

/** @param {(number|bigint)[]} words @param {number} width */
const hex = (words, width) => words
  .map((word) => (typeof word == "number" ? word >>> 0 : word).toString(16).padStart(width, "0")).join("");

/** @type {Object<string, (bytes: Uint8Array) => string>} */
const algorithms = {
  md5,
  sha1,
  sha256: (bytes) => sha2(bytes, SMALL, fractions(0, 8, 2n), 8),
  sha384: (bytes) => sha2(bytes, LARGE, fractions(8, 16, 2n), 6),
  sha512: (bytes) => sha2(bytes, LARGE, fractions(0, 8, 2n), 8),
};

register({
  digest(env, value, algorithm, encoding = "base64") {
    const name = toText(algorithm).toLowerCase().replace(/-/g, "");
    const form = toText(encoding).toLowerCase();
    if (!Object.prototype.hasOwnProperty.call(algorithms, name) || (form != "hex" && form != "base64")) return "";
    const hashed = algorithms[name](new TextEncoder().encode(toText(value)));
    return form == "hex" ? hashed : btoa(hashed.replace(/../g, (byte) => String.fromCharCode(parseInt(byte, 16))));
  },
});
