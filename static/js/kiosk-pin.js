// @ts-check
/**
 * The PIN that leaves kiosk mode: chosen when it starts, kept only as PBKDF2-HMAC-SHA256 with a salt, because there may be
 * no node in the room to ask. Wrong tries make the next one wait. Pure of DOM.
 *
 * @typedef {import('./kiosk-store.js').Kiosk} Kiosk
 * @typedef {import('./kiosk-store.js').Pin} Pin
 */
import { change } from './kiosk-store.js';
import { sha256 } from './sha256.js';

const ROUNDS = 300000; // by the browser itself: a third of a second on a tablet
const OWN_ROUNDS = 8000; // by our own sha256.js, on plain http: about as long
const FREE = 3;
const FIRST_WAIT = 10000;
const LONGEST_WAIT = 300000;
const BLOCK = 64;

export const FORM = /^\d{4,12}$/;

/** @param {string} pin @returns {Promise<Pin>} what is kept of it */
export async function seal(pin) {
  const salt = hex(crypto.getRandomValues(new Uint8Array(16)));
  const rounds = isNative() ? ROUNDS : OWN_ROUNDS;
  return { salt, rounds, hash: hex(await derive(pin, salt, rounds)) };
}

/**
 * Looks at a PIN. The try is counted before it is looked at, so that reloading the page takes nothing back.
 * @param {Kiosk} row @param {string} pin
 * @returns {Promise<{right: boolean, seconds: number}>} seconds: how long nothing is looked at now
 */
export async function check(row, pin) {
  const now = Date.now();
  // a clock that was set back must not lock the tablet for days
  const left = Math.min(row.until - now, LONGEST_WAIT);
  if (left > 0) return { right: false, seconds: Math.ceil(left / 1000) };
  const wrong = row.wrong + 1;
  const wait = wrong < FREE ? 0 : Math.min(LONGEST_WAIT, FIRST_WAIT * 2 ** Math.min(wrong - FREE, 10));
  Object.assign(row, await change({ wrong, until: wait ? now + wait : 0 }));
  const right = hex(await derive(pin, row.pin.salt, row.pin.rounds)) === row.pin.hash;
  if (right) Object.assign(row, await change({ wrong: 0, until: 0 }));
  return { right, seconds: right ? 0 : wait / 1000 };
}

const isNative = () => !!(self.crypto && crypto.subtle);

/** PBKDF2-HMAC-SHA256, 32 bytes. @param {string} pin @param {string} salt hex @param {number} rounds @returns {Promise<Uint8Array>} */
async function derive(pin, salt, rounds) {
  const secret = new TextEncoder().encode(pin);
  const grains = bytes(salt);
  if (!isNative()) return own(secret, grains, rounds);
  const key = await crypto.subtle.importKey('raw', secret, 'PBKDF2', false, ['deriveBits']);
  const how = { name: 'PBKDF2', hash: 'SHA-256', salt: grains, iterations: rounds };
  return new Uint8Array(await crypto.subtle.deriveBits(how, key, 256));
}

/** The same where browsers hide crypto.subtle; `secret` is shorter than a block. @param {Uint8Array} secret @param {Uint8Array} salt @param {number} rounds */
async function own(secret, salt, rounds) {
  const [inner, outer] = [0x36, 0x5c].map((mark) => padded(secret, mark));
  const mac = async (/** @type {Uint8Array} */ text) => sha256(joined(outer, await sha256(joined(inner, text))));
  let last = await mac(joined(salt, Uint8Array.of(0, 0, 0, 1)));
  const sum = Uint8Array.from(last);
  for (let round = 1; round < rounds; round++) {
    last = await mac(last);
    for (let n = 0; n < sum.length; n++) sum[n] ^= last[n];
    // lets the page draw: a slow tablet needs a second or two
    if (round % 1000 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
  return sum;
}

/** @param {Uint8Array} secret @param {number} mark */
function padded(secret, mark) {
  const block = new Uint8Array(BLOCK).fill(mark);
  secret.forEach((byte, n) => { block[n] ^= byte; });
  return block;
}

/** @param {Uint8Array} first @param {Uint8Array} second */
function joined(first, second) {
  const whole = new Uint8Array(first.length + second.length);
  whole.set(first);
  whole.set(second, first.length);
  return whole;
}

/** @param {Uint8Array} content @returns {string} */
const hex = (content) => Array.from(content, (byte) => (byte + 256).toString(16).slice(1)).join('');

/** @param {string} text @returns {Uint8Array<ArrayBuffer>} */
const bytes = (text) => Uint8Array.from(text.match(/../g) || [], (pair) => parseInt(pair, 16));
