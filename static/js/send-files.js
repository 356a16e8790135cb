// @ts-check
/**
 * Sends the files of records that the node has, in pieces, from where the node stands. The outbox loads this when one of
 * its records has files, and runs it in one tab at a time, after all text.
 *
 * @typedef {import('./files.js').Kept} Kept
 * @typedef {{have: number, bytes: number, central: boolean}} Told what the node says of a file
 */
import { all, open as openOutbox, renewLease } from './outbox.js';
import { freeFiles, hash, known, note, readFile } from './files.js';

const FIRST_PIECE = 65536;
const SMALLEST_PIECE = 4096;
const LARGEST_PIECE = 262144;
const QUICK = 5000;
const PIECE_LEASE = 40000; // longer than a piece may take
const MOST_REPEATS = 8; // of one piece: more than the halvings from the largest to the smallest
const ASKED_AT_ONCE = 100;
const ASK_AGAIN = 30000; // about files that the node has and central not yet
/** Files that the node would not take: not asked again before the page is opened again. @type {Set<string>} */
const refused = new Set();
let piece = FIRST_PIECE;
let askedAt = 0;

/** Sends the files of records that the node has. Ends early when a new record waits: text goes first. */
export async function sendFiles() {
  const entries = (await all()).filter((entry) => entry.blobs && !/saved|stopped/.test(entry.state));
  const rows = await known();
  const isTime = Date.now() - askedAt > ASK_AGAIN;
  const hashes = [...new Set(entries.flatMap((entry) => entry.blobs || []))]
    .filter((sha256) => isOpen(rows.get(sha256), isTime));
  if (isTime) askedAt = Date.now();
  let goesOn = true;
  for (let first = 0; first < hashes.length && goesOn; first += ASKED_AT_ONCE) {
    goesOn = await sendSome(hashes.slice(first, first + ASKED_AT_ONCE));
  }
  for (const entry of entries) await settle(entry.id);
  await freeFiles();
}

/** Whether there is something to send or to ask. @param {Kept | undefined} row @param {boolean} isTime @returns {boolean} */
const isOpen = (row, isTime) => !!row && !refused.has(row.sha256) && (!row.state || (row.state === 'node' && isTime));

/** @param {string[]} hashes @returns {Promise<boolean>} whether to go on */
async function sendSome(hashes) {
  const answer = await ask('POST', '/sync/v1/blobs/ask', JSON.stringify({ sha256: hashes }), {});
  for (const sha256 of hashes) {
    const told = answer.blobs && answer.blobs[sha256];
    // without an answer: the node has lost the record, which is sent again
    if (told && !(await sendOne(sha256, read(told)))) return false;
  }
  return true;
}

/** @param {any} told @returns {Told} */
function read(told) {
  if (!(told.have >= 0 && told.bytes >= told.have)) throw new Error('not an answer about a file');
  return told;
}

/** @param {string} sha256 @param {Told} told @returns {Promise<boolean>} whether to go on with the next file */
async function sendOne(sha256, told) {
  let content;
  for (let repeats = 0; told.have < told.bytes;) {
    if ((await all()).some((entry) => entry.state === 'saved')) return false;
    content = content || await readFile(sha256);
    if (!content) return true;
    const before = told.have;
    try {
      told = await sendPiece(sha256, content, told);
    } catch (error) {
      const next = afterTrouble(/** @type {any} */ (error), told);
      if (next === null) {
        refused.add(sha256);
        return true;
      }
      told = next;
    }
    repeats = told.have > before ? 0 : repeats + 1;
    if (repeats > MOST_REPEATS) throw new Error('the node does not get on with a file');
    await note(sha256, { have: told.have });
    dispatchEvent(new Event('files:changed'));
  }
  await note(sha256, { have: told.bytes, state: told.central ? 'central' : 'node' });
  dispatchEvent(new Event('files:changed'));
  return true;
}

/** @param {string} sha256 @param {ArrayBuffer} content @param {Told} told @returns {Promise<Told>} */
async function sendPiece(sha256, content, told) {
  await renewLease(PIECE_LEASE);
  const part = new Uint8Array(content.slice(told.have, told.have + piece));
  const digest = btoa(String.fromCharCode(...await hash(part)));
  const started = Date.now();
  const answer = await ask('PATCH', '/sync/v1/blobs/' + sha256, part, {
    'Upload-Offset': String(told.have), 'Upload-Length': String(content.byteLength), 'Content-Digest': `sha-256=:${digest}:`,
  });
  if (answer.sha256 !== sha256) throw new Error('the answer does not name the file');
  if (Date.now() - started < QUICK) piece = Math.min(piece * 2, LARGEST_PIECE);
  return read(answer);
}

/**
 * Where to go on after trouble with a piece; null when the node will not take this file. What is not about it is thrown on.
 * @param {any} error @param {Told} told @returns {Told | null}
 */
function afterTrouble(error, told) {
  if (error.code === 'blob_offset') return read({ ...told, have: error.have });
  if (error.code === 'blob_digest') return { ...told, have: 0 };
  if (error.code === 'chunk_digest') return told;
  if (/^(blob_unknown|bad_request|too_large)$/.test(error.code)) return null;
  if (error.name !== 'AbortError' || piece <= SMALLEST_PIECE) throw error;
  piece /= 2;
  return told;
}

/** Ends the waiting of a record all of whose files central has, or that are not here any more. @param {string} id */
async function settle(id) {
  const rows = await known();
  const outbox = (await openOutbox()).transaction('outbox', 'readwrite', { durability: 'strict' }).objectStore('outbox');
  await new Promise((resolve, reject) => {
    outbox.transaction.oncomplete = resolve;
    outbox.transaction.onabort = () => reject(outbox.transaction.error);
    const found = outbox.get(id);
    found.onsuccess = () => {
      const waits = (/** @type {string} */ sha256) => rows.has(sha256) && rows.get(sha256)?.state !== 'central';
      if (!found.result || (found.result.blobs || []).some(waits)) return;
      delete found.result.blobs;
      outbox.put(found.result);
    };
  });
  dispatchEvent(new Event('files:changed'));
}

/**
 * Asks the node and gives its JSON. A page of a Wi-Fi portal, a redirect or a cut answer is an error.
 * @param {string} method @param {string} address @param {string | Uint8Array<ArrayBuffer>} body @param {Record<string, string>} headers
 * @returns {Promise<any>}
 */
async function ask(method, address, body, headers) {
  const abort = new AbortController();
  const limit = setTimeout(() => abort.abort(), 30000);
  try {
    const answer = await fetch(address, { method, body, headers, signal: abort.signal, redirect: 'error' });
    if (!answer.headers.get('X-Collector')) throw new Error('not ours');
    const told = await answer.json();
    if (!answer.ok) throw Object.assign(new Error(told.code), told);
    return told;
  } finally {
    clearTimeout(limit);
  }
}
