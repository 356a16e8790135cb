// @ts-check
/**
 * Sends what was said in rooms. What is secret goes in requests of its own, in an order that tells nothing. From a phone it
 * leaves a while after what was said in the open: two neighbours in a node's log would say whose vote it is.
 */
import { all, drop, move, sendAll, settled } from './outbox.js';

/** @typedef {import('./outbox.js').Entry} Entry */
const LONGEST_PAUSE = 6000;
const LOCKED = 10 * 60 * 1000;
let lockedUntil = 0; // without the PIN a node takes nothing of a session: not sent in vain every minute

/** Somebody wants a session to go now. */
export const unlock = () => { lockedUntil = 0; };

/** Throws where the node is out of reach; what a node cannot take now stays and is tried again later. */
export async function sendRooms() {
  const waiting = (await all()).filter((entry) => entry.to && entry.state === 'saved' && (entry.pass || Date.now() >= lockedUntil));
  const lots = new Map(waiting.map((entry) => [keyOf(entry), entry]));
  const isMixed = waiting.some((entry) => entry.secret) && waiting.some((entry) => !entry.secret);
  for (const entry of [...lots.values()].sort((a, b) => Number(!!a.secret) - Number(!!b.secret))) {
    if (entry.secret && entry.pass && isMixed) await pause();
    await sendLot(entry);
  }
}

/** @param {Entry} entry @returns {string} the same for what may go in one request */
const keyOf = ({ to, pass, secret }) => JSON.stringify([to, pass, !!secret]);

const pause = () => new Promise((resolve) => setTimeout(resolve, Math.random() * LONGEST_PAUSE));

/** @param {Entry} like one of those to send */
async function sendLot(like) {
  /** @type {Record<string, string>} */
  const headers = { 'Collector-Sent-At': new Date().toISOString(), ...(like.pass ? { 'Collector-Room-Pass': like.pass } : {}) };
  try {
    await sendAll(/** @type {string} */ (like.to), (entry) => keyOf(entry) === keyOf(like), headers, settle);
  } catch (error) {
    const status = /** @type {any} */ (error).status;
    if (!status || status >= 500 || status === 429) throw error;
    if (status === 401) lockedUntil = Date.now() + LOCKED;
    // 401: the PIN is missing; 403, 404: another node answers under this address. It waits for the right one
    dispatchEvent(new CustomEvent('room:refused', { detail: { to: like.to, status } }));
  }
}

/**
 * What a phone gave is the node's from now on, as what it gives without an outage; only what the node keeps apart stays
 * as a line, until the person has been told.
 * @param {Entry} entry @param {any} answer
 */
async function settle(entry, answer) {
  if (!entry.pass) return settled(entry, answer);
  if (answer.results[entry.id] !== 'quarantined') return drop(entry.id);
  return move({ ...entry, body: '', why: (answer.why || {})[entry.id] }, 'held');
}
