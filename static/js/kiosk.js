// @ts-check
/**
 * The page between two people (kiosk mode): shows one screen at a time, begins a turn, ends it, and leaves by PIN.
 *
 *   setup -> neutral -> turn -> thanks -> neutral -> …     leaving: neutral -> pin -> left
 *                         `-> neutral (nobody there any more, or it was given up: what was half is gone)
 */
import { drain } from './outbox.js';
import { watch } from './kiosk-idle.js';
import { begin as beginTurn } from './kiosk-person.js';
import { closePages, emptyPin, newest, whenChosen, whenGiven } from './kiosk-desk.js';
import * as store from './kiosk-store.js';
import { keepHere, stayAwake, tellWorker, whenDark } from './kiosk-device.js';

/** @typedef {import('./kiosk-store.js').Kiosk} Kiosk */
const ALONE_SECONDS = 60;
const HELPED_SECONDS = 300;
const SCREEN_SECONDS = 60;
const FILES_SECONDS = 65; // files.js keeps a file for a minute in any case

const $ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) => /** @type {any} */ (within.querySelector(selector));
const $$ = (/** @type {string} */ selector) => /** @type {HTMLElement[]} */ (Array.from(document.querySelectorAll(selector)));

const main = $('[data-kiosk]');
const { form, version, survey } = main.dataset;
/** @type {Kiosk | undefined} */ let row;
/** @type {ReturnType<typeof beginTurn> | undefined} */ let turn;
/** @type {ReturnType<typeof watch> | undefined} */ let watching;
let screen = '';
let shown = ''; // id of the record whose code is being read

start().catch(() => show('blocked'));

async function start() {
  listen();
  row = await store.read();
  if (!row) {
    keepHere(survey, () => $('[data-kept]').hidden = false);
    show('setup');
  } else if (row.form !== form) {
    location.replace(row.address);
    return;
  } else {
    row = await store.change({ version, address: location.pathname });
    await hand(await store.wipe(row) ? 'dropped' : calm());
    tellWorker('');
  }
  document.body.dataset.ready = '1';
}

function listen() {
  whenChosen(beginKiosk);
  whenGiven(() => row, leave);
  $('[data-begin]').addEventListener('click', take);
  $('[data-leave]').addEventListener('click', () => show('pin'));
  $('[data-stay]').addEventListener('click', () => hand(calm()));
  $('[data-done]').addEventListener('click', () => hand('saved'));
  $('[data-here]').addEventListener('click', stillHere);
  $('[data-stop]').addEventListener('click', () => ask('sure', true));
  $('[data-go-on]').addEventListener('click', () => ask('sure', false));
  $('[data-drop]').addEventListener('click', () => hand('dropped'));
  for (const name of ['pointerdown', 'keydown']) addEventListener(name, stir, true);
  addEventListener('outbox:changed', settle);
  addEventListener('popstate', stepBack);
  addEventListener('pageshow', (event) => { if (event.persisted && row) hand('dropped'); });
  whenDark(() => watching && watching.look());
}

/** While the page asks whether somebody is there, only its button counts. */
function stir() {
  if (watching && $('[data-warning]').hidden) watching.stir();
}

/** @param {string} name */
function show(name) {
  screen = name;
  for (const part of $$('[data-screen]')) part.hidden = part.dataset.screen !== name;
  document.body.classList.toggle('answering', name === 'turn');
  for (const box of ['warning', 'sure']) ask(box, false);
  if (watching) watching.stop();
  watching = undefined;
  if (name === 'pin') emptyPin();
  if (name === 'turn') watching = watch(row && row.alone ? ALONE_SECONDS : HELPED_SECONDS, warn, () => hand('dropped'));
  else if (name === 'thanks') watching = watch(SCREEN_SECONDS, warn, () => hand('saved'));
  else if (name === 'pin') watching = watch(SCREEN_SECONDS, () => 0, () => hand(calm()));
  const title = $(`[data-screen=${name}] h1`);
  if (title) title.focus();
  stayAwake(name !== 'setup' && name !== 'left');
}

/** What the screen between two people says when nothing just happened. */
const calm = () => (row && row.given ? 'saved' : 'first');

/** Shows or hides a question laid over everything; what is below cannot be reached meanwhile. @param {string} name @param {boolean} isOpen */
function ask(name, isOpen) {
  $(`[data-${name}]`).hidden = !isOpen;
  for (const part of $$('[data-screen]')) part.inert = isOpen;
  if (isOpen) $(`[data-${name}] .next`).focus();
  else if (turn) turn.focus();
}

// ---- from hand to hand

/** Begins kiosk mode. @param {import('./kiosk-store.js').Pin} pin @param {boolean} alone */
async function beginKiosk(pin, alone) {
  row = await store.begin({ form, version, address: location.pathname, alone, pin });
  // a tablet that holds many people's answers asks not to be tidied up by the browser
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
  hand('first');
}

/**
 * Shows the page between two people; whatever a person left half is gone before it stands there.
 * @param {'first' | 'saved' | 'dropped' | 'lost'} after what became of the turn before
 */
async function hand(after) {
  if (turn) turn.end();
  turn = undefined;
  shown = '';
  $('[data-code] b').textContent = '';
  await settle().catch(() => 0);
  setTimeout(tidy, FILES_SECONDS * 1000);
  speak(main.lang);
  for (const part of $$('[data-after]')) part.hidden = part.dataset.after !== after;
  for (const part of $$('[data-alone]')) part.hidden = !(row && row.alone);
  await count().catch(() => 0);
  show('neutral');
  checkVersion();
  signOut();
}

/** Takes away what is nobody's any more; again whenever the outbox writes, which may put a code back that it had read. */
async function settle() {
  if (!row || screen === 'left') return;
  if (!turn) await store.wipe(row, shown);
  if (screen === 'neutral') await count();
  tidy();
}

/** Photos and sounds of what was left half; the newest only when it is sure that no draft is about to name them. */
const tidy = () => { store.freeFiles().catch(() => 0); };

async function count() {
  const waits = await store.waiting();
  $('[data-given]').textContent = String(row ? row.given : 0);
  $('[data-waits]').textContent = String(waits);
  $('[data-waiting]').hidden = !waits;
}

/** The next person's turn, in a survey that begins blank. */
async function take() {
  if (!row || screen !== 'neutral') return;
  screen = 'opening'; // tapped twice is taken once
  await store.wipe(row).catch(() => 0);
  // so that the browser's "back" has somewhere to go inside this page
  history.pushState('', '');
  show('turn');
  $('[data-opening]').hidden = false;
  turn = beginTurn($('[data-frame]'), survey, document.title, {
    ready: opened,
    stir: () => watching && watching.stir(),
    slow: () => watching && watching.more(),
    saved: thank,
    declined: () => hand('dropped'),
    lost: () => hand('lost'),
  });
}

function opened() {
  $('[data-opening]').hidden = true;
  if (turn) turn.focus();
}

/** The answer is kept: its page goes at once, the person reads the code. @param {string} id @param {string} code @param {string} lang */
async function thank(id, code, lang) {
  if (!turn || !row) return;
  shown = id;
  turn.end();
  turn = undefined;
  row = await store.change({ given: row.given + 1 }).catch(() => null) || row;
  speak(lang);
  const given = code || await store.codeOf(id);
  $('[data-code]').hidden = !given;
  $('[data-code] b').textContent = given;
  show('thanks');
  drain();
}

/** @param {string} lang the language of the person who holds the tablet; ours are Spanish and English */
function speak(lang) {
  const known = lang.startsWith('en') ? 'en' : 'es';
  for (const text of $$('[data-in]')) text.hidden = text.dataset.in !== known;
}

/** @param {number} left seconds, 0: not yet */
function warn(left) {
  const box = $('[data-warning]');
  $('[data-left]').textContent = String(left);
  if (box.hidden === !left) return;
  if (turn && left) speak(turn.language());
  $('[data-sure]').hidden = true;
  ask('warning', !!left);
}

function stillHere() {
  if (watching) watching.more();
  ask('warning', false);
}

/** The browser's "back": a question back, never into what was before. */
function stepBack() {
  history.pushState('', '');
  if (turn) turn.back();
}

// ---- leaving, and when there is a signal

async function leave() {
  if (!row) return;
  await store.finish(row);
  for (const place of $$('[data-total]')) place.textContent = String(row.given);
  row = undefined;
  show('left');
}

async function signOut() {
  if (row && !row.signedOut && await closePages(main.dataset.close)) row = await store.change({ signedOut: true });
}

/** A newer version of the form: the next person gets that one. Without a signal this does nothing. */
async function checkVersion() {
  const told = await newest(main.dataset.current);
  if (!told || told.version === version || screen !== 'neutral') return;
  // first everything it needs is here: the signal may be gone a minute later
  keepHere(told.survey, () => { if (screen === 'neutral') location.replace(told.address); });
}
