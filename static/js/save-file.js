// @ts-check
/**
 * Saves answers to a file, for rescue by cable or message; any node takes it (docs/bundles.md). Loaded by "Mis respuestas".
 */
import { all, isoLocal } from './outbox.js';

const PIECE = 192 * 1024; // a multiple of 3: pieces of base64 without padding in between
const SLICE = 8192; // more arguments than this some browsers do not take

/**
 * Saves what central does not have yet into one file: records a line each, then their files, a piece a line.
 * @param {string} [id] of one record; else all
 */
export async function saveToFile(id) {
  // what was given in a room stays: in one file a seat and its votes would stand together
  const entries = (await all()).filter((entry) => (entry.body || entry.blobs) && !entry.to && (!id || entry.id === id));
  /** @type {BlobPart[]} */
  const parts = entries.filter((entry) => entry.body).map((entry) => entry.body + '\n');
  for (const sha256 of new Set(entries.flatMap((entry) => entry.blobs || []))) parts.push(...await fileLines(sha256));
  if (parts.length) download(parts, `mis-respuestas-${isoLocal(new Date()).slice(0, 10)}.ndjson`);
}

/** The lines of one file of an answer; none when its bytes are not here. @param {string} sha256 @returns {Promise<Blob[]>} */
async function fileLines(sha256) {
  const { readFile } = await import('./files.js');
  const content = await readFile(sha256);
  const lines = [];
  for (let at = 0; content && at < content.byteLength; at += PIECE) {
    const piece = base64(new Uint8Array(content, at, Math.min(PIECE, content.byteLength - at)));
    // a Blob each: the browser may put it on its disk, a text it would have to hold
    lines.push(new Blob([`{"blob":"${sha256}","at":${at},"content":"${piece}"}\n`]));
  }
  return lines;
}

/** @param {Uint8Array} bytes @returns {string} */
function base64(bytes) {
  let text = '';
  for (let at = 0; at < bytes.length; at += SLICE) text += String.fromCharCode(...bytes.subarray(at, at + SLICE));
  return btoa(text);
}

/** @param {BlobPart[]} parts @param {string} name */
function download(parts, name) {
  const link = document.createElement('a');
  link.href = URL.createObjectURL(new Blob(parts, { type: 'application/x-ndjson' }));
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 60000);
}
