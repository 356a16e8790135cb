// @ts-check
/**
 * What a phone gives to a room while the node is out of reach is kept in its outbox, and leaves by itself when the node
 * answers again. Loaded after the page can be used; without it, or where the browser keeps nothing, a post that fails
 * leaves the form as it was typed.
 */
import { all, drain, drop } from './outbox.js';
import { calm } from './room-ahead.js';
import { contribution, keep, SECRET } from './room-records.js';
import { saidIn } from './room-said.js';
import './room-send.js'; // here already when the node goes away

const PATIENCE = 5000;
const now = /** @type {HTMLElement} */ (document.getElementById('now'));
const $ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) =>
  /** @type {HTMLElement | null} */ (within.querySelector(selector));
const room = /** @type {HTMLElement} */ ($('#own-room')).dataset;
const seat = /** @type {HTMLElement} */ ($('#own-seat')).dataset;
const ballot = /** @type {HTMLElement} */ ($('#own-ballot')).dataset;
const to = /** @type {string} */ (room.to);
let waiting = 0; // what this browser still has to send to this room
let counted = 0; // of this ballot, here
let isStale = false; // the page does not show yet what has been sent
let isAsked = false; // the page's request under way will show it
let given = ''; // the address that thanks for what was given last
let isSent = false; // what was here before this page is being sent

addEventListener('htmx:config:request', (event) => { if (formOf(event)) requestOf(event).timeout = PATIENCE; });
addEventListener('htmx:before:request', before);
addEventListener('htmx:before:response', answered);
addEventListener('htmx:finally:request', after);
addEventListener('htmx:error', (event) => { if (formOf(event)) take(event); });
addEventListener('outbox:changed', look);
addEventListener('online', () => drain());
addEventListener('pageshow', () => drain());
// room-poll.js shows and hides the line "no signal": when it is hidden, the node has answered
new MutationObserver(() => { if (waiting) drain(); }).observe(/** @type {Node} */ ($('#silent')), { attributeFilter: ['hidden'] });
const told = $('#held button');
if (told) told.addEventListener('click', forget);
look();

/** @param {Event} event @returns {any} htmx's request */
const requestOf = (event) => /** @type {any} */ (event).detail.ctx.request;

/** The form that gives something, where a request is its post. @param {Event} event @returns {HTMLFormElement | null} */
function formOf(event) {
  const { ctx } = /** @type {any} */ (event).detail;
  const form = ctx && ctx.sourceElement;
  return form instanceof HTMLFormElement && form.matches('.give') && !/_more|_less/.test(String(ctx.request.body)) ? form : null;
}

/** What is kept goes first: what is given now must not overtake it. @param {Event} event */
function before(event) {
  if (event.target === now && !event.defaultPrevented) {
    isAsked = isStale;
    if (isStale) delete requestOf(event).headers['If-None-Match']; // the tag does not change with a person's own votes
  }
  if (!waiting || !formOf(event)) return;
  event.preventDefault();
  take(event);
}

/** A Wi-Fi portal, or a node that could not write it down. @param {Event} event */
function answered(event) {
  const { status, headers } = /** @type {any} */ (event).detail.ctx.response;
  if (event.target === now && isAsked && headers.get('X-Collector')) isStale = false;
  if (formOf(event) && (!headers.get('X-Collector') || status >= 500)) {
    event.preventDefault();
    take(event);
  }
}

/** Keeps what a form says instead of posting it. @param {Event} event */
async function take(event) {
  const form = /** @type {HTMLFormElement} */ (formOf(event));
  const fields = /** @type {URLSearchParams} */ (requestOf(event).body);
  const [what, step] = [fields.get('_what') || '', fields.get('_step') || ''];
  const said = saidIn(what, fields, Number(room.round));
  show('lacks', !said);
  if (!said) return;
  try {
    for (const one of said) await keepOne(one, step);
  } catch (error) {
    return; // this browser keeps nothing: what was typed stays, and the page says that there is no signal
  }
  given = `${location.pathname}?${new URLSearchParams({ paso: step, dio: what })}`;
  show('kept', true);
  calm(form, what);
  drain();
}

/** @param {import('./room-said.js').Said} said @param {string} step */
async function keepOne({ what, payload, ref }, step) {
  const isSecret = SECRET.includes(what);
  const who = isSecret
    ? { ballot: ballot.ballot, segments: JSON.parse(ballot.segments || '{}'), mode: ballot.mode, count: await nextCount() }
    : { seat: seat.seat, by: seat.by, mode: seat.mode, count: Date.now() };
  const made = contribution({ session: /** @type {string} */ (room.session), what, payload, ref, step, ...who });
  return keep(made, { to, title: room.title || '', pass: (isSecret ? ballot : seat).pass });
}

/** A ballot counts 1, 2, 3, here and on the node. @returns {Promise<number>} */
async function nextCount() {
  const shown = $('[data-count]', now);
  const kept = (await all()).filter((entry) => entry.pass === ballot.pass && entry.body).map((entry) => JSON.parse(entry.body).count);
  counted = Math.max(counted, Number(shown ? shown.dataset.count : 0), ...kept) + 1;
  return counted;
}

/** Says what waits and what was kept apart; draws the page anew when the last of it has been sent. */
async function look() {
  const own = (await all().catch(() => [])).filter((entry) => entry.to === to);
  const before = waiting;
  const saved = own.filter((entry) => entry.state === 'saved');
  // what somebody else left on this phone waits too, but holds up nobody
  waiting = saved.filter((entry) => entry.pass === seat.pass || entry.pass === ballot.pass).length;
  const apart = own.filter((entry) => /held|stopped/.test(entry.state));
  show('kept', !!saved.length);
  show('held', !!apart.length);
  for (const words of document.querySelectorAll('#held [data-why]')) {
    const isLate = /** @type {HTMLElement} */ (words).dataset.why === 'room_late';
    /** @type {HTMLElement} */ (words).hidden = !apart.some((entry) => (entry.why === 'room_late') === isLate);
  }
  if (saved.length && !isSent) drain();
  isSent = true;
  if (before && !waiting) {
    isStale = true;
    redraw();
  }
}

/** Shows what has been sent as given. */
function redraw() {
  const shown = $('[data-shown]', now);
  if (shown && given) shown.dataset.shown = given;
  now.dispatchEvent(new CustomEvent('changed'));
}

/** While the page asked for something else, htmx dropped the request for what has been sent. @param {Event} event */
function after(event) {
  if (event.target !== now) return;
  if (isStale && !isAsked && !$('[data-hold]', now)) setTimeout(redraw);
  isAsked = false;
}

/** The person has read what was kept apart: the node holds it, and its line can go. */
async function forget() {
  for (const entry of await all()) if (entry.to === to && entry.state === 'held') await drop(entry.id);
}

/** @param {string} id @param {boolean} isShown */
function show(id, isShown) {
  const place = document.getElementById(id);
  if (place) place.hidden = !isShown;
}
