// @ts-check
/**
 * What a page has beyond simple questions: rows that come and go, texts that show answers, choices that change, questions
 * that close. The DOM side of rows.js; fill.js loads it where the form's JSON names an engine. Controls: rich-controls.js.
 *
 * @typedef {import('./settling.js').Row} Row
 * @typedef {import('./fill.js').Spot} Spot
 * @typedef {{state: any, data: any, form: HTMLFormElement, scan: () => void, translate: () => void, react: () => void,
 *   keep: () => void, heard: (event: Event) => void, text: (key: string) => string, spots: () => Spot[],
 *   language: () => string}} Page  what fill.js hands over
 */
import { bindControl, findPlace, knowsPlaces, refreshChoices, writeControl } from './rich-controls.js';
import { changeRows, nameEverything, rowOf, syncRows, weight } from './rich-rows.js';

export { open } from './rows.js';
export { rowOf } from './rich-rows.js';

const [CALCULATE, COUNT] = [0, 3]; // kinds of jobs, as in settling.js
/** @type {Page} */ let page;
/** @type {WeakSet<Element>} */ const bound = new WeakSet();
/** @type {WeakMap<Element, string>} what each control was last given or heard from */ const told = new WeakMap();
/** @type {Set<number>} questions whose answer says how many rows there are */ let feeders;
/** @typedef {{name: string, sha256: string, bytes: number, type: string}} Held */
/** @type {Held[]} files taken for this record, also those of answers that are gone again */ export let held = [];
/** @type {[string, string] | null} a count that is being typed: name of its field, text */ export let typed = null;
let shownLanguage = '';
let touched = 0; // when a finger or a mouse last let go

/** @param {string} selector @param {ParentNode} within @returns {HTMLElement[]} */
const $$ = (selector, within) => Array.from(within.querySelectorAll(selector));

/** @param {Page} given @param {{files?: Held[], typed?: [string, string]} | null} draft */
export function start(given, draft) {
  page = given;
  held = (draft && draft.files) || [];
  shownLanguage = page.language();
  feeders = findFeeders(page.data);
  page.form.addEventListener('click', (event) => changeRows(event, page));
  page.form.addEventListener('pointerup', () => { touched = Date.now(); });
  if (!draft) notePlaces(-1);
  page.form.addEventListener('change', (event) => {
    const spot = spotOf(/** @type {Element} */ (event.target));
    if (spot && feeders.has(spot.i)) page.heard(event);
  });
  syncRows(page.form, page.state.root);
  dressAll();
  draw();
  const count = draft && draft.typed;
  if (count) setTimeout(() => typeAgain(...count)); // fill.js writes the draft first
}

/** Goes on as if somebody left the field where a count was typed when the page was closed. @param {string} name @param {string} text */
function typeAgain(name, text) {
  const field = /** @type {any[]} */ ($$('[name]', page.form)).find((each) => each.name === name);
  if (!field) return;
  field.value = text;
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

/** Takes over what has come into the page. */
function dressAll() {
  page.scan();
  nameEverything(page);
  page.spots().forEach(dress);
}

/** @param {Element} element @returns {Spot | undefined} */
function spotOf(element) {
  const box = element.closest('[data-i]');
  return page.spots().find((spot) => spot.box === box);
}

/** @param {any} data @returns {Set<number>} */
function findFeeders(data) {
  const found = new Set();
  const feeds = (/** @type {number} */ job) => (job & 3) === COUNT || ((job & 3) === CALCULATE && found.has(job >> 2));
  for (let size = -1; size < found.size;) {
    size = found.size;
    for (const readers of [data.own, data.wide]) {
      for (const i of Object.keys(readers)) if (readers[i].some(feeds)) found.add(+i);
    }
  }
  return found;
}

/** What belongs to the record beside its answers, taken files and places by list: for its content, and for its outbox entry. */
export function files() {
  const given = JSON.stringify(page.state.answers());
  const blobs = held.filter(({ name }) => given.includes(JSON.stringify(name)));
  const places = page.state.places();
  return [{ ...(blobs.length && { blobs }), ...(Object.keys(places).length && { places }) },
    blobs.length ? { blobs: blobs.map(({ sha256 }) => sha256) } : {}];
}

/** @param {Held} entry */
export const addFile = (entry) => { held = held.filter(({ name }) => name !== entry.name).concat(entry); };

/** Lets go of files that no answer names any more. */
export function dropFiles() {
  const kept = JSON.stringify(page.state.dump());
  held = held.filter(({ name }) => kept.includes(JSON.stringify(name)));
}

// -- answers

/** Takes an answer. What counts rows waits until it is written whole, and asks before it takes filled rows away.
 * @param {number} i @param {string} text @param {Row | undefined} row @param {Event} event */
export function set(i, text, row, event) {
  keepAnswer(i, text, row, event);
  const box = /** @type {Element} */ (event.target).closest('[data-i]');
  // what is typed stays as it is while it is typed
  if (box) told.set(box, (row || page.state).raw[i]);
}

/** @param {number} i @param {string} text @param {Row | undefined} row @param {Event} event */
function keepAnswer(i, text, row, event) {
  const { state, data } = page;
  if (!feeders.has(i)) {
    state.set(i, text, row);
    notePlaces(i, row);
    if (data.nodes[i].h) goOn(/** @type {Element} */ (event.target));
    return;
  }
  const isTyped = data.nodes[i].t !== 'select_one' && data.nodes[i].t !== 'select_multiple';
  const field = /** @type {any} */ (event.target);
  typed = isTyped && event.type === 'input' ? [field.name, field.value] : null;
  if (typed) return;
  const before = state.dump();
  state.set(i, text, row);
  const lost = weight(before) - weight(state.dump());
  if (lost > 0 && !confirm(page.text('cut').replace('{n}', String(lost)))) {
    state.restore(before);
    const spot = spotOf(/** @type {Element} */ (event.target));
    if (spot) fillIn(spot);
  }
}

/** Puts the device's place where the form wants it noted. @param {number} trigger -1: the form opens @param {Row} [row] */
function notePlaces(trigger, row) {
  if (!knowsPlaces()) return;
  for (const [i, of] of page.data.places) {
    if (of === trigger) findPlace((point) => { page.state.set(i, point, row); page.react(); page.keep(); }, () => 0);
  }
}

/** A choice that was touched, alone on its page: to the next one. Arrow keys only move the choice. @param {Element} field */
function goOn(field) {
  const section = /** @type {Element} */ (field.closest('.page'));
  if (Date.now() - touched > 500 || $$('[data-i].q:not([hidden])', section).length > 1) return;
  setTimeout(() => { $$('[value=next]:not([hidden])', page.form).forEach((button) => button.click()); }, 250);
}

/** @param {Spot} spot @param {string} value @returns {boolean} whether it was a control that only some forms have */
export const write = (spot, value) => writeControl(spot, value, page);

/** Draws the choices of a question whose list changes. @param {Spot} spot @returns {boolean} */
export const offers = (spot) => refreshChoices(spot, page);

// -- drawing

/** Brings rows, texts and what is closed into the page as they are now. */
export function draw() {
  if (syncRows(page.form, page.state.root)) {
    dressAll();
    if (page.data.texts[page.language()]) page.translate();
  }
  if (shownLanguage !== page.language()) {
    shownLanguage = page.language();
    $$('[data-m]', page.form).forEach(showFile);
    page.spots().forEach(offers);
  }
  for (const place of $$('[data-o]', page.form)) {
    const said = page.state.say(page.data.says[place.dataset.o || 0], rowOf(place));
    if (place.textContent !== said) place.textContent = said;
  }
  page.spots().forEach(follow);
  if (page.data.nodes.some((/** @type {any} */ node) => node.e || node.C)) page.spots().forEach(close);
}

/** @param {HTMLElement} place */
function showFile(place) {
  const name = page.data.files[place.dataset.m || 0][page.language()];
  /** @type {any} */ (place).src = page.form.action + '/media/' + encodeURIComponent(name);
}

/** A control that has just come into the page. @param {Spot} spot */
function dress(spot) {
  if (bound.has(spot.box)) return;
  bound.add(spot.box);
  bindControl(spot, page);
  if (page.data.nodes[spot.i].t) fillIn(spot);
}

/** Writes what was set by something else than its own control: a calculation, an action. @param {Spot} spot */
function follow(spot) {
  const value = (spot.row || page.state).raw[spot.i];
  if (page.data.nodes[spot.i].t && told.get(spot.box) !== value) fillIn(spot);
}

/** @param {Spot} spot */
function fillIn(spot) {
  const value = (spot.row || page.state).raw[spot.i];
  const isNew = !told.has(spot.box);
  told.set(spot.box, value);
  // what was typed before the scripts were here stays; a draft is written whole by fill.js
  if ((isNew && !value && !spot.box.querySelector('[data-live]')) || write(spot, value)) return;
  for (const field of /** @type {any[]} */ ($$('input:not([data-own]),select:not([data-own]),textarea', spot.box))) field.value = value;
}

/** @param {Spot} spot */
function close({ box, i, row }) {
  if (!page.data.nodes[i].t) return;
  const isClosed = !!page.data.nodes[i].C || page.state.isReadonly(i, row);
  if (box.tagName === 'FIELDSET') /** @type {any} */ (box).disabled = isClosed;
  else for (const field of /** @type {any[]} */ ($$('input,select,textarea,button', box))) field.disabled = isClosed;
}
