// @ts-check
/**
 * The outbox: records of this browser, in IndexedDB, until central has them. Pure of DOM; needs no secure context.
 *
 * states of a record: saved -> sent -> central ; held = the node keeps it apart for a person to look at ;
 * stopped = the node cannot take it: a person has to help ; erased = somebody had it erased: only its line is left
 * A record's body leaves this browser only when an answer of ours says that central holds it.
 *
 * drafts stand apart, under the id of the record that they will be (before release 2: under "<form> <version>")
 *
 * @typedef {{id: string, form: string, version: string, title: string, state: string, saved: number, sent?: number,
 *   central?: number, body: string, code?: string, blobs?: string[], why?: string, tries?: number, to?: string, pass?: string,
 *   secret?: boolean}} Entry code: the receipt code; blobs: hashes of its files that central does not have yet; why: what the
 *   node said when it could not take it; to, pass, secret: of a room (room-records.js), and sent by room-send.js
 * @typedef {{key: string, form: string, version: string, address: string, title?: string, at?: number,
 *   step?: [number, number], record: {id: string, started: string}, lang: string, page: number, raw: any, files?: any,
 *   typed?: any}} Draft address: of its version's page; at: last change; step: [question, of how many]
 * @typedef {{store: IDBObjectStore, done: Promise<void>}} Opened
 */

const STORES = ['outbox', 'drafts', 'meta'];
const BATCH = 50; // what a node takes at once
const QUICK = 2000;
const SLOW = 60000;
const LEASE = 25000;
const TRIES = 3;
const BATCH_CHARACTERS = 300000;
/** @type {Promise<IDBDatabase> | undefined} */
let opening;
let draining = false;
let again = false; // somebody asked while it was going on
let moves = 0;
let wait = QUICK;
const tab = Math.random(); // whose lease it is
let isLeased = false;
/** @type {number | undefined} */
let timer;
const others = self.BroadcastChannel && new BroadcastChannel('collector');
if (others) others.onmessage = ({ data }) => dispatchEvent(new Event(data));

/** Opens the store; rejects where the browser has none or blocks it. @returns {Promise<IDBDatabase>} */
export function open() {
  if (!opening) {
    opening = new Promise((resolve, reject) => {
      // no number: 1 where there is none yet, and a tab that is older than the store can still save into it
      const request = indexedDB.open('collector');
      request.onupgradeneeded = () => {
        request.result.createObjectStore('outbox', { keyPath: 'id' });
        request.result.createObjectStore('drafts');
        request.result.createObjectStore('meta');
      };
      request.onsuccess = () => {
        // a newer page changes the store: let it, and open it anew for what comes next
        request.result.onversionchange = () => {
          request.result.close();
          opening = undefined;
        };
        request.result.onclose = () => { opening = undefined; };
        resolve(request.result);
      };
      request.onerror = request.onblocked = () => reject(request.error);
    });
    opening.catch(() => { opening = undefined; });
  }
  return opening;
}

/**
 * Runs `work` in one transaction and resolves with what its last request gave, once the transaction is complete.
 * What writes and gives its last request is committed at once: a page that is left right afterwards has still written it.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(store: (name: string) => IDBObjectStore) => IDBRequest<T> | void} work
 * @param {IDBTransactionDurability} [durability]
 * @returns {Promise<T>}
 */
async function within(mode, work, durability = 'strict') {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(STORES, mode, { durability });
    const request = work((name) => transaction.objectStore(name));
    // complete, not the request's success: a kill straight after success lost 5 of 25
    transaction.oncomplete = () => resolve(/** @type {T} */ (request ? request.result : undefined));
    transaction.onabort = () => reject(transaction.error);
    // else it is committed only when the page has heard of its last request: measured, a page that went lost 10 of 10
    if (request && mode === 'readwrite' && transaction.commit) transaction.commit();
  });
}

/** Puts a record and drops its draft in one strict transaction. @param {Entry} entry @param {string} draftKey */
export async function add(entry, draftKey) {
  await within('readwrite', (store) => {
    store('drafts').delete(draftKey);
    // add, not put: a second record with an id that is here must never take the first one's place
    return store('outbox').add(entry);
  });
  changed();
}

/** @returns {Promise<Entry[]>} every record, oldest first */
export async function all() {
  /** @type {Entry[]} */
  const entries = await within('readonly', (store) => store('outbox').getAll());
  return entries.sort((a, b) => a.saved - b.saved);
}

/** @param {Entry} entry */
export const put = (entry) => within('readwrite', (store) => store('outbox').put(entry)).then(changed);

/** Takes a record's line away; who calls has asked whether central holds it. @param {string} id */
export const drop = (id) => within('readwrite', (store) => store('outbox').delete(id)).then(changed);

/** @returns {Promise<Draft[]>} every draft, the newest first */
export async function drafts() {
  /** @type {IDBRequest<any[]>} */
  let keys;
  /** @type {any[]} */
  const found = await within('readonly', (store) => {
    keys = store('drafts').getAllKeys();
    return store('drafts').getAll();
  });
  return found.map((draft, n) => {
    const key = keys.result[n];
    const [form, ...version] = key.split(' ');
    const address = '/f/' + [form, version.join(' ')].map(encodeURIComponent).join('/');
    return { key, form, version: version.join(' '), address, ...draft };
  }).sort((a, b) => (b.at || 0) - (a.at || 0));
}

/** @param {string} key @param {object} draft */
export const putDraft = (key, draft) => within('readwrite', (store) => store('drafts').put(draft, key), 'relaxed');

/** @param {string} key */
export const dropDraft = (key) => within('readwrite', (store) => store('drafts').delete(key)).then(changed);

/** Tells this page, and those of other tabs. */
function changed() {
  dispatchEvent(new Event('outbox:changed'));
  if (others) others.postMessage('outbox:changed');
}

/** Sends what waits, then asks how far the sent ones came. One tab at a time; safe to call at any moment. */
export async function drain() {
  if (draining) {
    again = true;
    return;
  }
  draining = true;
  again = false;
  const before = moves;
  try {
    const isDone = await alone(async () => {
      await sendAll('/sync/v1/outbox', (entry) => !entry.to);
      if ((await all()).some((entry) => entry.to && entry.state === 'saved')) await (await import('./room-send.js')).sendRooms();
      // what is secret in a room never stands in one question with what is said in the open there
      await askCentral((entry) => !entry.secret);
      await askCentral((entry) => !!entry.secret);
      if ((await all()).some((entry) => entry.blobs)) await (await import('./send-files.js')).sendFiles();
    });
    // nothing new from central: it may be far away, and asking costs; to look whether the other tab is done costs nothing
    wait = moves > before || !isDone ? QUICK : Math.min(wait * 2, SLOW);
    if (isDone) dispatchEvent(new Event('node:up'));
  } catch (error) {
    dispatchEvent(new Event('node:down'));
    wait = Math.min(wait * 2, SLOW);
  } finally {
    draining = false;
  }
  clearTimeout(timer);
  if (again) wait = QUICK;
  if ((await all().catch(() => [])).some((entry) => /saved|sent/.test(entry.state) || entry.blobs)) {
    timer = setTimeout(drain, wait * (0.7 + Math.random() * 0.6));
  }
}

/**
 * Runs `work` in one tab only: Web Locks where they are, else a lease row of 25 s, longer than one post may take.
 * @param {() => Promise<void>} work @returns {Promise<boolean>} whether it ran: false while another tab is at it
 */
async function alone(work) {
  if (navigator.locks) {
    return navigator.locks.request('collector-drain', { ifAvailable: true }, async (lock) => {
      if (lock) await work();
      return !!lock;
    });
  }
  if (!await takeLease()) return false;
  const release = async () => {
    if (isLeased) await within('readwrite', (store) => store('meta').delete('lease'), 'relaxed');
  };
  // a page that is left in the middle must not hold up the next one
  addEventListener('pagehide', release);
  try {
    await work();
  } finally {
    removeEventListener('pagehide', release);
    await release();
  }
  return true;
}

/** Takes the lease, or has it anew. @param {number} [lasts] ms @returns {Promise<boolean>} whether it is this tab's now */
async function takeLease(lasts = LEASE) {
  await within('readwrite', (store) => {
    const meta = store('meta');
    const held = meta.get('lease');
    held.onsuccess = () => {
      const { me, until = 0 } = held.result || {};
      const left = until - Date.now();
      isLeased = me === tab || left <= 0 || left > 2 * LEASE; // so far ahead: the phone's clock was put back since
      if (isLeased) meta.put({ me: tab, until: Date.now() + lasts }, 'lease');
    };
  }, 'relaxed');
  return isLeased;
}

/** Before each post: many of them last longer than one lease. Throws when another tab has taken it over meanwhile. @param {number} [lasts] ms */
export async function renewLease(lasts) {
  if (!navigator.locks && !await takeLease(lasts)) throw new Error('another tab sends');
}

/**
 * Sends what waits for one address, the oldest first.
 * @param {string} address @param {(entry: Entry) => boolean} isMeant which entries go there
 * @param {Record<string, string>} [headers] @param {(entry: Entry, answer: any) => Promise<void>} [settle] what becomes of
 *   an entry that the answer names
 */
export async function sendAll(address, isMeant, headers, settle = settled) {
  let most = BATCH;
  /** @type {Set<string>} refused now, tried again later */
  const refused = new Set();
  for (;;) {
    const saved = (await all()).filter((entry) => entry.state === 'saved' && isMeant(entry) && !refused.has(entry.id)).slice(0, most);
    let size = 0;
    const waiting = saved.filter((entry, n) => (size += entry.body.length) < BATCH_CHARACTERS || !n);
    if (!waiting.length) return;
    let answer;
    await renewLease();
    try {
      answer = await post(address, waiting.map((entry) => entry.body).join('\n') + '\n', headers);
    } catch (error) {
      // the node hears us but cannot take this: one by one, and the one that it cannot take is put aside
      if (![400, 413].includes(/** @type {any} */ (error).status)) throw error;
      if (waiting.length === 1) {
        refused.add(waiting[0].id);
        await refuse(waiting[0], /** @type {any} */ (error).why);
      }
      most = 1;
      continue;
    }
    const results = answer.results || {};
    const known = waiting.filter((entry) => ['stored', 'duplicate', 'quarantined'].includes(results[entry.id]));
    if (!known.length) throw new Error('no record was named in the answer');
    for (const entry of known) await settle(entry, answer);
  }
}

/** @param {Entry} entry @param {any} answer */
export const settled = (entry, answer) => move(entry,
  answer.results[entry.id] === 'quarantined' ? 'held' : answer.central ? 'central' : 'sent');

/** Puts a record aside when it was refused again and again: once, a bad line may have spoilt it. @param {Entry} entry @param {string} why */
async function refuse(entry, why) {
  entry.tries = (entry.tries || 0) + 1;
  entry.why = why;
  await move(entry, entry.tries < TRIES ? 'saved' : 'stopped');
}

/** @param {(entry: Entry) => boolean} isMeant of which entries; a phone's own of a room are given to its node for good */
async function askCentral(isMeant) {
  const sent = (await all()).filter((entry) => /sent|held/.test(entry.state) && !entry.pass && isMeant(entry)).slice(0, 200);
  if (!sent.length) return;
  await renewLease();
  const answer = await post('/sync/v1/receipts/ask', JSON.stringify({ ids: sent.map((entry) => entry.id) }));
  for (const entry of sent) {
    if (answer.erased && answer.erased.includes(entry.id)) await move(entry, 'erased');
    else if (answer.central && answer.central[entry.id]) await move(entry, 'central');
    // the node lost it (an old copy put back, say): it is sent again
    else if (answer.held && !answer.held.includes(entry.id)) await move(entry, 'saved');
  }
}

/** @param {Entry} entry @param {string} state */
export async function move(entry, state) {
  entry.state = state;
  if (!entry.sent && !/saved|stopped/.test(state)) entry.sent = Date.now();
  if (state === 'central') entry.central = Date.now();
  if (/central|erased/.test(state)) entry.body = '';
  if (state === 'erased' && entry.blobs) entry.blobs = []; // so that its files are freed too
  moves++;
  await put(entry);
}

/**
 * Posts and gives the answer's JSON. A page of a Wi-Fi portal, a redirect or a cut answer is an error.
 * @param {string} address @param {string} body @param {Record<string, string>} [more] headers @returns {Promise<any>}
 */
export async function post(address, body, more) {
  /** @type {BodyInit} */
  let content = body;
  /** @type {Record<string, string>} */
  const headers = { 'Content-Type': 'application/x-ndjson', ...more };
  if (body.length > 800 && self.CompressionStream) {
    content = await new Response(new Blob([body]).stream().pipeThrough(new CompressionStream('gzip'))).blob();
    headers['Content-Encoding'] = 'gzip';
  }
  const abort = new AbortController();
  const limit = setTimeout(() => abort.abort(), 20000);
  try {
    const answer = await fetch(address, { method: 'POST', body: content, headers, signal: abort.signal, redirect: 'error' });
    if (!answer.headers.get('X-Collector')) throw new Error('not ours');
    if (!answer.ok) {
      const { title } = await answer.json().catch(() => ({}));
      throw Object.assign(new Error(), { status: answer.status, why: title });
    }
    return await answer.json();
  } finally {
    clearTimeout(limit);
  }
}

/** @param {number} [now] its moment, in ms @returns {string} a UUIDv7; crypto.randomUUID is missing on plain http */
export function uuid7(now = Date.now()) {
  const bytes = crypto.getRandomValues(new Uint8Array(16));
  for (let i = 0; i < 6; i++) bytes[i] = Math.floor(now / 2 ** (8 * (5 - i))) % 256;
  bytes[6] = 0x70 | (bytes[6] & 15);
  bytes[8] = 0x80 | (bytes[8] & 63);
  const hex = Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');
  return hex.replace(/(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

/** @returns {string} 96 random bits as base64url */
export function salt() {
  const text = String.fromCharCode(...crypto.getRandomValues(new Uint8Array(12)));
  return btoa(text).replace(/\+/g, '-').replace(/\//g, '_');
}

/** Canonical JSON: keys by code point, no blanks, NFC, no U+0000 or lone surrogate. @param {any} value @returns {string} */
export function canonical(value) {
  if (typeof value === 'string') return JSON.stringify(value.normalize('NFC').replace(/\0|\p{Cs}/gu, ''));
  if (Array.isArray(value)) return '[' + value.map(canonical).join() + ']';
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  // our keys are names and paths below U+10000, where code units sort as code points do
  return '{' + Object.keys(value).sort().map((key) => canonical(key) + ':' + canonical(value[key])).join() + '}';
}

/** @param {Date} date @returns {string} "2026-11-20T10:42:00.123-05:00" */
export function isoLocal(date) {
  const offset = -date.getTimezoneOffset();
  const pad = (/** @type {number} */ n) => String(Math.floor(Math.abs(n))).padStart(2, '0');
  const local = new Date(date.getTime() + offset * 60000).toISOString().slice(0, -1);
  return local + (offset < 0 ? '-' : '+') + pad(offset / 60) + ':' + pad(offset % 60);
}
