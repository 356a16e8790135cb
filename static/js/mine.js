// @ts-check
/** "Mis respuestas": how far each record of this browser came, and what a person can do with it. */
import { all, drain, drop, post, put } from './outbox.js';
import { saveToFile } from './save-file.js';
import { clock, missingOf, reached, sayCode, sayFiles, STEPS } from './receipt.js';

/** @typedef {import('./outbox.js').Entry} Entry */
const $ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) =>
  /** @type {any} */ (within.querySelector(selector));
const $$ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) =>
  /** @type {any[]} */ (Array.from(within.querySelectorAll(selector)));
/** Records whose line is open. @type {Set<string>} */
const opened = new Set();
const BEHIND = ['stopped', 'held', 'saved', 'sent', 'erased', 'central']; // who is behind stands first

export function start() {
  $('[data-again]').addEventListener('click', resendAll);
  $('[data-export]').addEventListener('click', () => save());
  addEventListener('outbox:changed', list);
  addEventListener('files:changed', list);
  addEventListener('node:down', () => { $('[data-signal]').hidden = false; });
  addEventListener('node:up', () => { $('[data-signal]').hidden = true; });
  list();
  import('./health.js').then((health) => health.start($('[data-health]')));
}

async function list() {
  const found = await all().catch(() => null);
  const entries = oneForASession((found || []).reverse());
  const missing = await Promise.all(entries.map(missingOf));
  $('[data-outbox]').replaceChildren(...entries.map((entry, n) => row(entry, missing[n])));
  const waiting = entries.filter((entry, n) => entry.state === 'saved' || missing[n]).length;
  const isStopped = entries.some((entry) => entry.state === 'stopped');
  const say = !found ? 'blocked' : !entries.length ? 'none' : isStopped ? 'help' : waiting ? 'waiting' : 'sent';
  for (const part of $$('[data-say]')) {
    part.hidden = part.dataset.say !== say;
    for (const count of $$('[data-count]', part)) count.textContent = String(waiting);
  }
}

/**
 * Of a session that this tablet runs by itself one line stands for all that was said in it, as far as the last of it came.
 * @param {Entry[]} entries @returns {Entry[]}
 */
function oneForASession(entries) {
  /** @type {Map<string, Entry>} */
  const lines = new Map();
  for (const entry of entries) {
    const key = isOfSession(entry) ? `session ${entry.title}` : entry.id;
    const line = lines.get(key);
    if (!line || BEHIND.indexOf(entry.state) < BEHIND.indexOf(line.state)) lines.set(key, entry);
  }
  return [...lines.values()];
}

/** @param {Entry} entry */
const isOfSession = (entry) => !!entry.to && !entry.pass;

/** @param {Entry} entry @param {number} missing @returns {Node} */
function row(entry, missing) {
  const line = $('#entry').content.cloneNode(true);
  $('[data-title]', line).textContent = entry.title;
  $('[data-time]', line).textContent = clock(entry.saved);
  const word = /stopped|erased/.test(entry.state) ? entry.state : STEPS[reached(entry, missing)];
  sayFiles(line, missing);
  sayCode(line, entry);
  $('.state', line).className = 'state ' + (word === 'stopped' ? 'stop2' : word);
  for (const place of $$('[data-word]', line)) place.hidden = place.dataset.word !== word;
  for (const place of $$('[data-why]', line)) place.hidden = place.dataset.why !== entry.state;
  const reason = $('[data-reason]', line);
  reason.hidden = entry.state !== 'stopped' || !entry.why;
  reason.textContent = entry.why || '';
  offer(line, entry, missing);
  return line;
}

/** What can be done with this record now. @param {ParentNode} line @param {Entry} entry @param {number} missing */
function offer(line, entry, missing) {
  const details = $('details', line);
  details.open = opened.has(entry.id);
  details.addEventListener('toggle', () => opened[details.open ? 'add' : 'delete'](entry.id));
  const acts = {
    where: [!!entry.sent && !entry.to, null],
    resend: [/saved|stopped/.test(entry.state) || !!missing, () => resend(entry)],
    save: [!!(entry.body || entry.blobs) && !entry.to, () => save(entry.id)],
    // of what a phone gave in a room and the node keeps apart, only this line is left
    remove: entry.pass ? [entry.state === 'held', () => drop(entry.id)] : [isCleared(entry), () => remove(entry)],
  };
  for (const [name, [isOffered, act]] of Object.entries(acts)) {
    const button = $(`[data-${name}]`, line);
    button.hidden = !isOffered;
    if (act) button.addEventListener('click', act);
    else button.href += entry.id;
  }
}

/** A session goes from its own page, whole. @param {Entry} entry */
const isCleared = (entry) => /central|erased/.test(entry.state) && !entry.blobs && !isOfSession(entry);

/** @param {string} [id] */
const save = (id) => saveToFile(id); // its script is here already: this is for when there is no signal

/** What the node could not take is tried anew: it may be a newer program now. @param {Entry} entry */
async function resend(entry) {
  if (entry.state === 'stopped') await put({ ...entry, state: 'saved', why: '', tries: 0 });
  drain();
}

async function resendAll() {
  for (const entry of await all()) if (entry.state === 'stopped') await put({ ...entry, state: 'saved', why: '', tries: 0 });
  drain();
}

/** Takes a line away when central, asked now, has the record. @param {Entry} entry */
async function remove(entry) {
  const { sure, unsure, notYet } = $('[data-outbox]').dataset;
  const answer = await post('/sync/v1/receipts/ask', JSON.stringify({ ids: [entry.id] })).catch(() => null);
  const isThere = answer && ((answer.central || {})[entry.id] || (answer.erased || []).includes(entry.id));
  tell(!answer ? unsure : isThere ? '' : notYet);
  if (isThere && confirm(sure)) await drop(entry.id);
}

/** @param {string} words */
function tell(words) {
  $('[data-said] b').textContent = words;
  $('[data-said]').hidden = !words;
}
