// @ts-check
/**
 * What is said in a room, as a record of this browser: the same as collector/room_store.py makes (docs/rooms.md). Pure of
 * DOM; needs no secure context.
 *
 * @typedef {import('./outbox.js').Entry} Entry
 * @typedef {{session: string, what: string, payload?: Object<string, any>, count: number, by?: string, ballot?: string,
 *   segments?: Object<string, string>, seat?: string, step?: string, ref?: string, mode?: string, id?: string, at?: number}} Saying
 *   count: the writer's own, growing: of a ballot 1, 2, 3; by: who writes in the open; at: its moment in ms, now if not said;
 *   id: of what opens a room, else a new one
 * @typedef {{id: string, body: string, secret: boolean}} Made body: canonical JSON
 * @typedef {{to: string, title: string, pass?: string}} Sent to: the address that takes it; title: of the room, for people
 */
import { add, canonical, isoLocal, salt, uuid7 } from './outbox.js';

/** Kinds that carry a ballot and never a seat: payloads.py, SECRET. */
export const SECRET = ['vote', 'allocation', 'rank', 'triad', 'dyad', 'measure'];
/** Where a facilitator's browser sends what it wrote; asks for the PIN (401). */
export const STAFF = '/sala/envios';
const MINUTE = 60000;

/**
 * Makes a contribution. One of a secret kind is written by its ballot, and tells no more of its moment than the minute.
 * @param {Saying} saying @returns {Made}
 */
export function contribution({ session, what, payload = {}, count, by, ballot, segments, seat, step, ref, mode = 'phone', id, at }) {
  const secret = SECRET.includes(what);
  const now = at === undefined ? Date.now() : at;
  const moment = secret ? now - (now % MINUTE) : now;
  /** @type {Object<string, any>} */
  const record = {
    id: id || uuid7(moment), kind: 'contribution', session, what, finished: isoLocal(new Date(moment)), salt: salt(),
    by: secret ? ballot : by, count, mode, payload,
    ...(secret ? { ballot, segments: filled(segments) } : { seat }), step, ref,
  };
  for (const key of Object.keys(record)) if (record[key] === undefined || record[key] === '') delete record[key];
  return { id: record.id, body: canonical(record), secret };
}

/** @param {Object<string, string>} [segments] @returns {Object<string, string> | undefined} nothing for none */
const filled = (segments) => (segments && Object.keys(segments).length ? segments : undefined);

/** @returns {string} a random id of a writer, or a ballot: 96 bits that nothing else knows */
export function token() {
  return Array.from(crypto.getRandomValues(new Uint8Array(12)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}

/**
 * Puts a contribution into the outbox in one strict transaction: once this resolves, it is on the disk.
 * @param {Made} made @param {Sent} sent @returns {Promise<void>}
 */
export function keep({ id, body, secret }, { to, title, pass }) {
  const now = Date.now();
  // of a secret one, this browser does not remember the moment either
  const saved = secret ? now - (now % MINUTE) : now;
  /** @type {Entry} */
  const entry = { id, form: '', version: '', title, state: 'saved', saved, body, to, secret, ...(pass ? { pass } : {}) };
  return add(entry, id);
}
