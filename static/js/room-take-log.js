// @ts-check
/**
 * The sessions that this tablet runs: their contributions, each written in one strict transaction into the outbox, from
 * which it is sent, and beside it, where it stays until the session is taken off. Once central has a record the outbox
 * lets go of what it says, and the session still has to be drawn. A page that was killed reads everything again.
 *
 * @typedef {import('./room-take-state.js').Room} Room
 * @typedef {import('./room-take-state.js').Said} Said
 * @typedef {{what: string, payload?: any, by?: string, count?: number, seat?: string, step?: string, ref?: string,
 *   ballot?: string, segments?: Record<string, string>, mode?: string, id?: string, at?: number}} Thing what is said; of the
 *   facilitator by and count are found here; at: its moment in ms, now if not said
 * @typedef {{all: number, sent: number, central: number, held: number, waiting: number}} Counts how far the records came;
 *   held: a node keeps them apart; waiting: not sent yet
 */
import { all, open } from './outbox.js';
import { contribution, STAFF } from './room-records.js';
import { roomOf } from './room-take-state.js';

const PREFIX = 'sala ';
const AFTER = 'sala!'; // the next sign after the blank
let lastCount = 0;

/** @param {string} session */
const keysOf = (session) => IDBKeyRange.bound(`${PREFIX}${session} `, `${PREFIX}${session}!`);

/**
 * @template T
 * @param {IDBTransactionMode} mode @param {(meta: IDBObjectStore, outbox: IDBObjectStore) => IDBRequest<T> | void} work
 * @returns {Promise<T>}
 */
async function within(mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(['meta', 'outbox'], mode, { durability: 'strict' });
    const request = work(transaction.objectStore('meta'), transaction.objectStore('outbox'));
    transaction.oncomplete = () => resolve(/** @type {T} */ (request ? request.result : undefined));
    transaction.onabort = () => reject(transaction.error);
    // as outbox.js: a page that is left right afterwards has still written it
    if (request && mode === 'readwrite' && transaction.commit) transaction.commit();
  });
}

/** @returns {Promise<Room[]>} the sessions of this tablet, the newest first */
export async function rooms() {
  /** @type {string[]} */
  const bodies = await within('readonly', (meta) => meta.getAll(IDBKeyRange.bound(PREFIX, AFTER)));
  /** @type {Map<string, Said[]>} */
  const bySession = new Map();
  for (const body of bodies) {
    const said = JSON.parse(body);
    bySession.set(said.session, [...(bySession.get(said.session) || []), said]);
  }
  return [...bySession.values()].map(roomOf).sort((a, b) => (a.session < b.session ? 1 : -1));
}

/** @param {string} session @returns {Promise<Room | null>} null for one that is not on this tablet */
export async function roomNamed(session) {
  /** @type {string[]} */
  const bodies = await within('readonly', (meta) => meta.getAll(keysOf(session)));
  return bodies.length ? roomOf(bodies.map((body) => JSON.parse(body))) : null;
}

/**
 * Says things in a room, all of them or none; once this resolves they are on the disk.
 * @param {Room} room @param {...Thing} things @returns {Promise<Room>} the room as it is then
 */
export async function say(room, ...things) {
  await keep(room.session, room.facts.title || '', things.map((thing) => ({ by: room.by, count: nextCount(), ...thing })));
  return /** @type {Promise<Room>} */ (roomNamed(room.session));
}

/** @param {string} session @param {string} title @param {Thing[]} things each with its writer and count */
export async function keep(session, title, things) {
  const said = things.map((thing) => contribution({ session, ...thing, count: thing.count || 0 }));
  await within('readwrite', (meta, outbox) => {
    /** @type {IDBRequest<any> | undefined} */
    let last;
    for (const [n, { id, body, secret }] of said.entries()) {
      // of a secret one, this tablet does not remember the moment either
      const now = things[n].at || Date.now();
      const saved = secret ? now - (now % 60000) : now;
      outbox.add({ id, form: '', version: '', title, state: 'saved', saved, body, to: STAFF, secret });
      last = meta.add(body, `${PREFIX}${session} ${id}`);
    }
    return last;
  });
  // not outbox:changed, at which every page sends: an act a minute would be a request a minute, all of it refused without the PIN
  dispatchEvent(new Event('sala:changed'));
}

/** A number that grows, also when the clock goes back. Never for a vote: a ballot counts 1, 2, 3. */
export function nextCount() {
  lastCount = Math.max(lastCount + 1, Date.now());
  return lastCount;
}

/**
 * How far the records of each session came. One that the outbox does not list any more is with central: "Mis respuestas"
 * takes a line away only then.
 * @returns {Promise<(session: string) => Counts>}
 */
export async function counts() {
  const keys = (await within('readonly', (meta) => meta.getAllKeys(IDBKeyRange.bound(PREFIX, AFTER)))).map(String);
  const states = new Map((await all()).map(({ id, state }) => [id, state]));
  return (session) => {
    const mine = keys.filter((key) => key.startsWith(`${PREFIX}${session} `)).map((key) => states.get(key.split(' ')[2]) || 'central');
    const of = (/** @type {RegExp} */ wanted) => mine.filter((state) => wanted.test(state)).length;
    return { all: mine.length, sent: of(/sent|central|held|erased/), central: of(/central|erased/), held: of(/held|stopped/), waiting: of(/saved|stopped/) };
  };
}

/** Takes a session off this tablet, and its lines in the outbox. Only when central has all of it. @param {string} session */
export async function takeOff(session) {
  if ((await counts())(session).central < (await counts())(session).all) throw new Error('central does not have all of it');
  await within('readwrite', (meta, outbox) => {
    const keys = meta.getAllKeys(keysOf(session));
    keys.onsuccess = () => keys.result.forEach((key) => outbox.delete(String(key).split(' ')[2]));
    meta.delete(keysOf(session));
    meta.delete(pinKey(session));
  });
  dispatchEvent(new Event('outbox:changed'));
}

/** Where the sealed PIN of a session stands, by which the tablet comes back to its facilitator. @param {string} session */
export const pinKey = (session) => 'pin-sala ' + session;
