// @ts-check
/**
 * Sealed packages of drafts and answers: the code that opens one, and its pieces. Pure of DOM.
 *
 * code    20 letters of Crockford's base32 (100 bits) and one that proves them; it stands in the QR and nowhere else
 * key     SHA-256 of the code: the node is told what the key hashes to, never the key
 * piece   ChaCha20-Poly1305 (RFC 8439), the nonce is its number: a key seals one package only.
 *         Inside: a line of JSON {"pieces"}, how many there are in all, then lines of JSON; with {"blob", "at", "bytes"}
 *         in the first line a part of a file instead. The lines:
 *         {"entry": what the outbox holds} and {"draft": its key, "value": what is kept of it}
 */
import { chacha20poly1305 } from '../vendor/noble-ciphers/chacha.js';
import { hash } from './files.js';

const SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';
const LETTERS = 20;
export const PIECE = 256 * 1024;

/** @returns {string} a new code, as people see it */
export function makeCode() {
  const numbers = Array.from(crypto.getRandomValues(new Uint8Array(LETTERS)), (byte) => byte % 32);
  return [...numbers, check(numbers)].map((number) => SIGNS[number]).join('').replace(/(.{4})(?=.)/g, '$1-');
}

/** The letters of what a person typed or a QR held; '' when a letter is wrong. @param {string} typed @returns {string} */
export function readCode(typed) {
  const code = typed.toUpperCase().replace(/[\s-]/g, '').replace(/O/g, '0').replace(/[IL]/g, '1');
  const numbers = Array.from(code, (letter) => SIGNS.indexOf(letter));
  const letters = numbers.slice(0, LETTERS);
  const isRight = numbers.length === LETTERS + 1 && letters.every((number) => number >= 0 && number < 32)
    && check(letters) === numbers[LETTERS];
  return isRight ? code : '';
}

/** @param {number[]} numbers */
const check = (numbers) => numbers.reduce((rest, number) => (rest * 32 + number) % 37, 0);

const text = new TextEncoder();
/** @param {Uint8Array} bytes */
const hex = (bytes) => Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');

/**
 * What follows from a code: the key, the name of the package on the node, and the proof that one could open it.
 * @param {string} code @returns {Promise<{key: Uint8Array, id: string, proof: string, proofHash: string}>}
 */
export async function secretsOf(code) {
  const key = await hash(text.encode('collector-handover/1\n' + readCode(code)));
  const named = async (/** @type {string} */ name) => hex(await hash(text.encode(name + hex(key))));
  const proof = await named('taken ');
  return { key, id: (await named('name ')).slice(0, 32), proof, proofHash: hex(await hash(text.encode(proof))) };
}

/** @param {number} number */
function nonce(number) {
  const bytes = new Uint8Array(12);
  new DataView(bytes.buffer).setUint32(8, number);
  return bytes;
}

/** @param {Uint8Array} key @param {number} number @param {object} head @param {Uint8Array} content @returns {Uint8Array} */
export function seal(key, number, head, content) {
  const line = text.encode(JSON.stringify(head) + '\n');
  const whole = new Uint8Array(line.length + content.length);
  whole.set(line);
  whole.set(content, line.length);
  return chacha20poly1305(key, nonce(number)).encrypt(whole);
}

/**
 * Opens a piece. Throws when a byte of it is other than it was sealed.
 * @param {Uint8Array} key @param {number} number @param {Uint8Array} sealed
 * @returns {{head: {pieces: number, blob?: string, at?: number, bytes?: number}, content: Uint8Array}}
 */
export function unseal(key, number, sealed) {
  const whole = chacha20poly1305(key, nonce(number)).decrypt(sealed);
  const end = whole.indexOf(10);
  return { head: JSON.parse(new TextDecoder().decode(whole.subarray(0, end))), content: whole.subarray(end + 1) };
}

/** @param {Uint8Array} bytes @returns {Promise<string>} */
export const digest = async (bytes) => hex(await hash(/** @type {any} */ (bytes)));
