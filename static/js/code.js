// @ts-check
/**
 * Receipt codes, the same as collector/receipt_codes.py: 12 letters and one that proves them. The record holds only what
 * the code hashes to; the code itself stays in this browser and on the person's paper.
 */
import { sha256 } from './sha256.js';

const SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';

const ROUNDS = 1024;

/** @returns {Promise<{code: string, claim: string}>} a new code as people see it, and the record's word of it */
function fresh() {
  // 32 divides 256: no letter comes more often than another
  const numbers = Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte % 32);
  const check = numbers.reduce((rest, number) => (rest * 32 + number) % 37, 0);
  return written([...numbers, check].map((number) => SIGNS[number]).join(''));
}

// made while the person still answers: the rounds take a slow phone a quarter of a second
/** @type {ReturnType<typeof fresh> | undefined} */
let first = fresh();

/** @returns {ReturnType<typeof fresh>} */
export function makeCode() {
  const made = first || fresh();
  first = undefined;
  return made;
}

/** @param {string} letters 13 of them @returns {Promise<{code: string, claim: string}>} */
export async function written(letters) {
  let hash = new TextEncoder().encode('collector-receipt/1\n' + letters);
  for (let round = 0; round < ROUNDS; round += 1) hash = await sha256(hash);
  const hex = Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return { code: letters.replace(/(.{4})(?=.)/g, '$1-'), claim: hex.slice(0, 32) };
}
