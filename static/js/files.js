// @ts-check
/**
 * Files of answers (photos, sounds, any file): kept in this browser from the moment they are chosen. Pure of DOM but for
 * a canvas. Loaded only by pages that have files; send-files.js sends them.
 *
 * states of a file: '' here | node = the node has it whole | central
 * Its bytes leave this browser when central has them, or when neither a draft nor a record here names them any more.
 *
 * @typedef {{name: string, sha256: string, bytes: number, type: string}} FileEntry what a record says under "blobs"
 * @typedef {{sha256: string, bytes: number, have: number, state: string, at: number}} Kept have: bytes the node has
 * @typedef {'image' | 'audio' | 'video' | 'file'} Kind
 */
import { all, open as openOutbox } from './outbox.js';

const MEGABYTE = 1e6;
const MOST = { image: 10 * MEGABYTE, file: 10 * MEGABYTE, audio: 20 * MEGABYTE, video: 20 * MEGABYTE };
const MOST_TO_SCALE = 60 * MEGABYTE; // a picture beyond this would take a phone's whole memory
const LONGER_SIDE = 1600;
const QUALITY = 0.8;
const ENDINGS = { jpeg: 'jpg', plain: 'txt', mpeg: 'mp3', quicktime: 'mov', 'svg+xml': 'svg', 'octet-stream': 'bin' };
const FRESH = 60000; // a file just taken may stand in a draft that is not written yet
/** @type {Promise<IDBDatabase> | undefined} */
let opening;

// ---- the store: one of its own, so that an old tab with the outbox open stops nobody

/** @returns {Promise<IDBDatabase>} */
function open() {
  if (!opening) {
    opening = new Promise((resolve, reject) => {
      const request = indexedDB.open('collector-files'); // no number: see outbox.js
      request.onupgradeneeded = () => {
        request.result.createObjectStore('blobs');
        request.result.createObjectStore('files', { keyPath: 'sha256' });
      };
      request.onsuccess = () => {
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
 * Runs `work` in one strict transaction over `blobs` (bytes by hash) and `files` (what is known of them); resolves with
 * what its last request gave, once the transaction is complete.
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(blobs: IDBObjectStore, files: IDBObjectStore) => IDBRequest<T> | void} work
 * @returns {Promise<T>}
 */
async function within(mode, work) {
  const database = await open();
  return new Promise((resolve, reject) => {
    const transaction = database.transaction(['blobs', 'files'], mode, { durability: 'strict' });
    const request = work(transaction.objectStore('blobs'), transaction.objectStore('files'));
    transaction.oncomplete = () => resolve(/** @type {T} */ (request ? request.result : undefined));
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @returns {Promise<Map<string, Kept>>} what is known of every file here, by hash */
export async function known() {
  /** @type {Kept[]} */
  const rows = await within('readonly', (_, files) => files.getAll());
  return new Map(rows.map((row) => [row.sha256, row]));
}

/** Writes the changes of what is known of a file; a file that is gone stays gone. @param {string} sha256 @param {Partial<Kept>} changes */
export const note = (sha256, changes) => within('readwrite', (_, files) => {
  const found = files.get(sha256);
  found.onsuccess = () => { if (found.result) files.put({ ...found.result, ...changes }); };
});

/** @param {string} sha256 @returns {Promise<ArrayBuffer | undefined>} the bytes, while they are here */
export const readFile = (sha256) => within('readonly', (blobs) => blobs.get(sha256));

// ---- taking a file

/**
 * Keeps the file that somebody chose and returns what a record says of it. The answer's text is the entry's name.
 * A photo is drawn anew, its longer side at most `maxPixels`: that also leaves behind where and with what it was taken.
 * Rejects with an error whose `code` is too_large (with `bytes` and `most`), empty, unreadable or not_kept (no store).
 * @param {Blob & {name?: string}} file
 * @param {{kind?: Kind, maxPixels?: number, question?: string}} [options]
 * @returns {Promise<FileEntry>}
 */
export async function takeFile(file, { kind = 'file', maxPixels = LONGER_SIDE, question = kind } = {}) {
  if (file.size > (kind === 'image' ? MOST_TO_SCALE : MOST[kind])) throw tooLarge(file.size, kind);
  const drawn = kind === 'image' ? await scaled(file, maxPixels > 0 ? maxPixels : LONGER_SIDE) : null;
  const content = await bytesOf(drawn || file);
  if (content.byteLength > MOST[kind]) throw tooLarge(content.byteLength, kind);
  const sha256 = hex(await hash(content));
  await keep(sha256, content);
  const type = ((drawn || file).type || '').split(';')[0].trim().toLowerCase() || 'application/octet-stream';
  const name = `${question.replace(/^.*\//, '')}-${sha256.slice(0, 6)}.${ending(type, drawn ? '' : file.name)}`;
  return { name: name.normalize('NFC'), sha256, bytes: content.byteLength, type };
}

/** @param {string} code @param {object} [values] */
const trouble = (code, values) => Object.assign(new Error(code), { code }, values);

/** @param {number} bytes @param {Kind} kind */
const tooLarge = (bytes, kind) => trouble('too_large', { bytes, most: MOST[kind] });

/** @param {Blob} file @returns {Promise<ArrayBuffer>} */
async function bytesOf(file) {
  // not file.arrayBuffer(): older Safari has none
  const content = await new Response(file).arrayBuffer().catch(() => { throw trouble('unreadable'); });
  if (!content.byteLength) throw trouble('empty');
  return content;
}

/** Keeps the bytes of a file that has its name already. @param {string} sha256 @param {ArrayBuffer} content */
export async function keep(sha256, content) {
  const row = { sha256, bytes: content.byteLength, have: 0, state: '', at: Date.now() };
  try {
    // ArrayBuffer, not Blob: private windows of WebKit refuse Blobs
    await within('readwrite', (blobs, files) => { blobs.put(content, sha256); files.put(row); });
  } catch (error) {
    throw trouble('not_kept', { cause: error });
  }
  freeFiles().catch(() => 0);
}

/** @param {string} type @param {string} [given] the file's own name @returns {string} */
function ending(type, given) {
  const own = /\.([a-z0-9]{1,8})$/i.exec(given || '');
  const short = type.replace(/^.*\//, '').replace(/^x-/, '');
  return own ? own[1].toLowerCase() : /** @type {Record<string, string>} */ (ENDINGS)[short] || short.replace(/\W/g, '') || 'bin';
}

/**
 * Draws a photo anew as JPEG; null where this browser cannot, or where there is nothing to gain.
 * @param {Blob} file @param {number} maxPixels @returns {Promise<Blob | null>}
 */
async function scaled(file, maxPixels) {
  if (/gif|svg/.test(file.type)) return null;
  try {
    const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
    const ratio = Math.min(1, maxPixels / Math.max(picture.width, picture.height));
    // a small drawing stays sharp as it is; a small photo is drawn anew for what it says about its place
    const isDrawing = ratio === 1 && /png|bmp/.test(file.type);
    const drawn = isDrawing ? null : await draw(picture, ratio);
    picture.close();
    return drawn;
  } catch (error) {
    return null;
  }
}

/** @param {ImageBitmap} picture @param {number} ratio @returns {Promise<Blob | null>} */
async function draw(picture, ratio) {
  if (!canvasIsTrue()) return null;
  const { canvas, pen } = board(Math.max(1, Math.round(picture.width * ratio)), Math.max(1, Math.round(picture.height * ratio)));
  pen.fillStyle = '#fff'; // JPEG knows no transparency
  pen.fillRect(0, 0, canvas.width, canvas.height);
  pen.imageSmoothingQuality = 'high';
  pen.drawImage(picture, 0, 0, canvas.width, canvas.height);
  /** @type {Blob | null} */
  const drawn = await new Promise((resolve) => canvas.toBlob(resolve, 'image/jpeg', QUALITY));
  canvas.width = 0; // gives the memory back at once
  return drawn && drawn.type === 'image/jpeg' ? drawn : null;
}

/** @param {number} width @param {number} height */
function board(width, height) {
  const canvas = document.createElement('canvas');
  canvas.width = width;
  canvas.height = height;
  const pen = canvas.getContext('2d');
  if (!pen) throw new Error('no canvas');
  return { canvas, pen };
}

/** Tells whether what is drawn can be read again: browsers that guard against tracking give noise or white. */
function canvasIsTrue() {
  const { pen } = board(2, 2);
  pen.fillStyle = '#f00';
  pen.fillRect(0, 0, 2, 2);
  const [red, green, blue] = pen.getImageData(1, 1, 1, 1).data;
  return red > 240 && green < 15 && blue < 15;
}

/** @param {BufferSource & {byteLength: number}} content @returns {Promise<Uint8Array>} its SHA-256 */
export async function hash(content) {
  if (self.crypto && crypto.subtle) return new Uint8Array(await crypto.subtle.digest('SHA-256', content));
  const { sha256 } = await import('./sha256.js');
  return sha256(content instanceof ArrayBuffer ? new Uint8Array(content) : /** @type {Uint8Array} */ (content));
}

/** @param {Uint8Array} bytes */
const hex = (bytes) => Array.from(bytes, (byte) => (byte + 256).toString(16).slice(1)).join('');

// ---- letting go

/** Frees files that no draft and no record of this browser names: call it after throwing a draft away. */
export async function freeFiles() {
  const rows = await known();
  if (!rows.size) return;
  const named = await everythingNamed();
  // what central has is safe at any age; the rest may stand in a draft that is being written
  const old = [...rows.values()].filter((row) => !named.includes(row.sha256)
    && (row.state === 'central' || row.at < Date.now() - FRESH));
  if (old.length) {
    await within('readwrite', (blobs, files) => {
      old.forEach((row) => { blobs.delete(row.sha256); files.delete(row.sha256); });
    });
  }
}

/** @returns {Promise<string>} a text with the hash of every file that a draft or a record names, however it does */
async function everythingNamed() {
  const database = await openOutbox();
  const drafts = await new Promise((resolve, reject) => {
    const request = database.transaction('drafts').objectStore('drafts').getAll();
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
  return JSON.stringify([drafts, (await all()).map((entry) => entry.blobs)]);
}

/** How many bytes of a record's files the node does not have yet. @param {string[]} [hashes] */
export async function missingBytes(hashes = []) {
  const rows = await known();
  return hashes.reduce((sum, sha256) => {
    const row = rows.get(sha256);
    return sum + (row && !row.state ? row.bytes - row.have : 0);
  }, 0);
}
