// @ts-check
/** Leaves the drafts and the answers that central does not have yet sealed on the node, and shows the QR that opens them. */
import { all, drafts, isoLocal } from './outbox.js';
import { readFile } from './files.js';
import { fill, say } from './parts.js';
import { remember, remembered } from './remember.js';
import { digest, makeCode, PIECE, seal, secretsOf } from './sealing.js';
import { encode } from '../vendor/uqr/index.js';

/**
 * @typedef {{code: string, left: number, entries: number, drafts: number}} Last what was left here before
 * @typedef {{head: object, content: () => Promise<Uint8Array>}} Piece
 */
const TRIES = 4;
const $ = (/** @type {string} */ selector) => /** @type {HTMLElement} */ (document.querySelector(selector));
/** @type {{entries: import('./outbox.js').Entry[], drafts: import('./outbox.js').Draft[]}} */
let waiting = { entries: [], drafts: [] };

/** Counts what is here; rejects where the browser keeps nothing. */
async function look() {
  waiting = { entries: (await all()).filter((entry) => entry.body || (entry.blobs || []).length), drafts: await drafts() };
  fill('entries', waiting.entries.length);
  fill('drafts', waiting.drafts.length);
}

/** Cuts everything into pieces; the bytes of files are read when their piece is sealed. @returns {Promise<Piece[]>} */
async function pieces() {
  const lines = [...waiting.entries.map((entry) => ({ entry })),
    ...waiting.drafts.map(({ key, ...value }) => ({ draft: key, value }))].map((line) => JSON.stringify(line) + '\n');
  const text = new TextEncoder().encode(lines.join(''));
  /** @type {Piece[]} */
  const list = [];
  for (let at = 0; at < text.length; at += PIECE) list.push({ head: {}, content: async () => text.subarray(at, at + PIECE) });
  for (const blob of filesNamed(lines.join(''))) {
    const bytes = await readFile(blob);
    for (let at = 0; bytes && at < bytes.byteLength; at += PIECE) {
      const length = Math.min(PIECE, bytes.byteLength - at);
      list.push({ head: { blob, at, bytes: bytes.byteLength },
        content: async () => new Uint8Array(/** @type {ArrayBuffer} */ (await readFile(blob)), at, length) });
    }
  }
  return list;
}

/** Every hash that stands in an entry or a draft. @param {string} text */
const filesNamed = (text) => new Set(text.match(/(?<![0-9a-f])[0-9a-f]{64}(?![0-9a-f])/g) || []);

/** @param {string} address @param {RequestInit} options @returns {Promise<Response>} */
async function send(address, options) {
  for (let tried = 1; ; tried += 1) {
    const answer = await fetch(address, options).catch(() => null);
    const isOurs = answer && answer.headers.get('X-Collector');
    if (answer && isOurs && answer.status < 500 && answer.status !== 429) return answer;
    if (tried === TRIES) throw new Error(answer ? String(answer.status) : 'no answer');
    await new Promise((resolve) => setTimeout(resolve, 1000 * tried));
  }
}

/** @param {string} code @param {Piece[]} list */
async function leave(code, list) {
  const { key, id, proofHash } = await secretsOf(code);
  const address = '/sync/v1/handovers/' + id;
  const hashes = [];
  for (const [number, piece] of list.entries()) {
    fill('percent', Math.floor(100 * number / list.length));
    // the first piece says how many there are: a node cannot leave out the last ones
    const sealed = seal(key, number, { ...piece.head, pieces: list.length }, await piece.content());
    hashes.push(await digest(sealed));
    const headers = { 'Content-Type': 'application/octet-stream' };
    const answer = await send(`${address}/${number}`, { method: 'PUT', body: /** @type {any} */ (sealed), headers });
    if (!answer.ok) throw new Error(String(answer.status));
  }
  const body = JSON.stringify({ pieces: hashes, proof_sha256: proofHash });
  const answer = await send(address, { method: 'POST', body, headers: { 'Content-Type': 'application/json' } });
  if (!answer.ok) throw new Error(String(answer.status));
}

async function start() {
  say('sending');
  const code = makeCode();
  try {
    await look();
    await leave(code, await pieces());
    const last = { code, left: Date.now(), entries: waiting.entries.length, drafts: waiting.drafts.length };
    await remember('handover', last);
    show(last);
  } catch (error) {
    say('failed', 'ready');
  }
}

/** @param {Last} last */
function show(last) {
  say('left');
  fill('entries', last.entries);
  fill('drafts', last.drafts);
  fill('code', last.code);
  fill('time', isoLocal(new Date(last.left)).slice(0, 16).replace('T', ' '));
  const { data, size } = encode(`${$('[data-base]').dataset.base}/retomar#${last.code}`, { border: 4, ecc: 'M' });
  const dark = data.flatMap((row, y) => row.map((isDark, x) => (isDark ? `M${x} ${y}h1v1h-1z` : ''))).join('');
  const picture = $('[data-qr]');
  picture.setAttribute('viewBox', `0 0 ${size} ${size}`);
  /** @type {Element} */ (picture.querySelector('path')).setAttribute('d', dark);
  $('h1').focus();
}

document.querySelectorAll('[data-go]').forEach((button) => button.addEventListener('click', start));
look().then(() => remembered('handover')).then((last) => {
  if (last) show(last);
  else say(waiting.entries.length + waiting.drafts.length ? 'ready' : 'none');
}, () => say('blocked'));
