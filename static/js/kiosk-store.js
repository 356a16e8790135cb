// @ts-check
/**
 * What a browser in kiosk mode keeps, and what it takes away. Pure of DOM.
 *
 * One row of the outbox's `meta` store says that this browser is in kiosk mode, and until when it was another's: the
 * drafts and receipt codes that stood here before belong to whoever handed the tablet over. Every other draft and code
 * is a person's who answered since: it goes when that person is gone.
 *
 * @typedef {{salt: string, rounds: number, hash: string}} Pin
 * @typedef {{form: string, version: string, address: string, alone: boolean, pin: Pin, wrong: number, until: number,
 *   given: number, signedOut: boolean, drafts: string[], codes: string[]}} Kiosk  until: no PIN is looked at before;
 *   given: answers since it was handed over; signedOut: the facilitator's pages are closed in this browser
 */
import { all, open } from './outbox.js';

const KEY = 'kiosk';
const HINT = 'collector-kiosk'; // app.js looks here: it must know before it loads anything

/**
 * Runs `work` in one strict transaction over these stores; resolves with what its request gave.
 * @template T
 * @param {string[]} names @param {IDBTransactionMode} mode
 * @param {(...stores: IDBObjectStore[]) => IDBRequest<T> | void} work @returns {Promise<T>}
 */
async function within(names, mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(names, mode, { durability: 'strict' });
    const request = work(...names.map((name) => transaction.objectStore(name)));
    transaction.oncomplete = () => resolve(/** @type {T} */ (request ? request.result : undefined));
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @returns {Promise<Kiosk | undefined>} the row; undefined: this browser is not in kiosk mode */
export async function read() {
  const row = await within(['meta'], 'readonly', (meta) => meta.get(KEY));
  hint(row ? row.address : '');
  return row;
}

/** Changes the row, if there is one, and gives it as it is now. @param {Partial<Kiosk>} changes @returns {Promise<Kiosk>} */
export async function change(changes) {
  /** @type {any} */
  let row;
  await within(['meta'], 'readwrite', (meta) => {
    const found = meta.get(KEY);
    found.onsuccess = () => {
      row = found.result && { ...found.result, ...changes };
      if (row) meta.put(row, KEY);
    };
  });
  return row;
}

/** Begins kiosk mode. @param {Pick<Kiosk, 'form' | 'version' | 'address' | 'alone' | 'pin'>} wanted @returns {Promise<Kiosk>} */
export async function begin(wanted) {
  const codes = (await all()).filter((entry) => entry.code).map((entry) => entry.id);
  const drafts = await keys();
  const row = { ...wanted, wrong: 0, until: 0, given: 0, signedOut: false, drafts, codes };
  await within(['meta'], 'readwrite', (meta) => { meta.put(row, KEY); });
  hint(row.address);
  return row;
}

/** Ends kiosk mode, and with it everything that people left half. @param {Kiosk} row */
export async function finish(row) {
  await wipe(row);
  await within(['meta'], 'readwrite', (meta) => { meta.delete(KEY); });
  hint('');
}

/** Where other pages of this browser lead while the tablet is handed round. @param {string} address '' for none */
function hint(address) {
  try {
    if (address) localStorage.setItem(HINT, address);
    else localStorage.removeItem(HINT);
  } catch (error) {
    // a browser that blocks this lets other pages be opened: the page says that it does not lock the tablet
  }
}

/** @returns {Promise<string[]>} the keys of all drafts */
export const keys = async () => (await within(['drafts'], 'readonly', (drafts) => drafts.getAllKeys())).map(String);

/**
 * Takes away what people since the start left half, and their receipt codes but that of `shown`.
 * @param {Kiosk} row @param {string} [shown] id of the record whose code its person is reading
 * @returns {Promise<number>} how many drafts there were
 */
export async function wipe(row, shown) {
  const left = (await keys()).filter((key) => !row.drafts.includes(key));
  await within(['drafts', 'outbox'], 'readwrite', (drafts, outbox) => {
    left.forEach((key) => drafts.delete(key));
    const walk = outbox.openCursor();
    walk.onsuccess = () => {
      const cursor = walk.result;
      if (!cursor) return;
      const { code, ...entry } = cursor.value;
      if (code && entry.id !== shown && !row.codes.includes(entry.id)) cursor.update(entry);
      cursor.continue();
    };
  });
  return left.length;
}

/** Lets go of photos and sounds that nobody's answer names any more. */
export async function freeFiles() {
  const names = indexedDB.databases ? (await indexedDB.databases()).map(({ name }) => name) : ['collector-files'];
  if (names.includes('collector-files')) await (await import('./files.js')).freeFiles();
}

/** @param {string} id @returns {Promise<string>} the receipt code of a record, '' when it has none */
export async function codeOf(id) {
  const entry = (await all()).find((one) => one.id === id);
  return (entry && entry.code) || '';
}

/** @returns {Promise<number>} records that the node does not have yet */
export const waiting = async () => (await all()).filter((entry) => /saved|stopped/.test(entry.state)).length;
