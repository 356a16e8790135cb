// @ts-check
/** The receipt of a record, and what it shares with "Mis respuestas": how far a record of this browser came. */
import { all } from './outbox.js';

/** @typedef {import('./outbox.js').Entry} Entry */
export const STEPS = ['saved', 'sent', 'central'];

/**
 * How far a record came with all its files: 0 saved here, 1 sent, 2 in central.
 * @param {Entry} entry @param {number} missing bytes of its files that the node does not have
 */
export function reached(entry, missing) {
  const at = entry.state === 'central' ? 2 : /saved|stopped/.test(entry.state) ? 0 : 1;
  return entry.blobs ? Math.min(at, missing ? 0 : 1) : at;
}

/** @param {Entry} entry @returns {Promise<number>} */
export const missingOf = async (entry) => (entry.blobs ? import('./files.js').then((files) => files.missingBytes(entry.blobs)).catch(() => 0) : 0);

/** Says how many kB of files wait, in the sentence that the page brings. @param {ParentNode} place @param {number} missing */
export function sayFiles(place, missing) {
  const line = /** @type {HTMLElement | null} */ (place.querySelector('[data-files]'));
  if (!line) return;
  line.hidden = !missing;
  line.textContent = (line.dataset.files || '').replace('{kb}', String(Math.ceil(missing / 1000)));
}

/** Shows the receipt code, where the record has one. @param {ParentNode} place @param {Entry} entry */
export function sayCode(place, entry) {
  const line = /** @type {HTMLElement | null} */ (place.querySelector('[data-code]'));
  if (!line || !entry.code) return;
  line.hidden = false;
  /** @type {Element} */ (line.querySelector('b')).textContent = entry.code;
}

/** @param {number | undefined} ms @returns {string} */
export const clock = (ms) => (ms ? new Date(ms).toLocaleString(document.documentElement.lang || 'es',
  { weekday: 'short', hour: '2-digit', minute: '2-digit' }) : '');

/** Keeps the receipt of one record true. @param {string} id */
export function follow(id) {
  const tell = async () => {
    const place = /** @type {HTMLElement | null} */ (document.querySelector(`[data-record="${id}"]`));
    const entry = (await all()).find((one) => one.id === id);
    if (place && entry) draw(place, entry, await missingOf(entry));
    return place;
  };
  const first = async () => {
    const place = await tell();
    const title = place && /** @type {HTMLElement} */ (place.querySelector('h1:not([hidden])'));
    // the receipt may not stand in the page yet
    if (title) title.focus();
    else setTimeout(first, 50);
  };
  addEventListener('outbox:changed', tell);
  addEventListener('files:changed', tell);
  first();
}

/** @param {HTMLElement} place @param {Entry} entry @param {number} missing */
function draw(place, entry, missing) {
  const at = reached(entry, missing);
  sayFiles(place, missing);
  sayCode(place, entry);
  STEPS.forEach((step, n) => {
    const line = place.querySelector(`[data-step=${step}]`);
    if (!line) return;
    line.className = n <= at ? 'done' : 'wait';
    const time = line.querySelector('[data-time]');
    const when = /** @type {any} */ (entry)[step];
    if (time && when && n <= at) time.textContent = clock(when);
  });
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll('[data-when]'))) {
    part.hidden = part.dataset.when !== STEPS[at];
  }
}

