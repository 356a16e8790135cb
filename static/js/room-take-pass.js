// @ts-check
/**
 * The tablet that goes from hand to hand in a session, with no node: each person begins in blank, with a ballot and a
 * writer of their own that nothing keeps, and nobody meets what the one before gave. It comes back to its facilitator by
 * the PIN that she put (kiosk-pin.js). A page that was killed comes up between two people.
 *
 *   start -> neutral -> who -> turn -> neutral -> …      leaving: neutral -> pin -> the session
 */
import { closePages } from './kiosk-desk.js';
import { stayAwake, whenDark } from './kiosk-device.js';
import { watch } from './kiosk-idle.js';
import { check, FORM, seal } from './kiosk-pin.js';
import * as store from './kiosk-store.js';
import { remember, remembered } from './remember.js';
import { token } from './room-records.js';
import { lead, made, one, said, show, when, word } from './room-take-draw.js';
import { isPassed, openForms, SECRET_OF } from './room-take-forms.js';
import { pinKey, roomNamed, say } from './room-take-log.js';
import { secretControls } from './room-take-secret.js';
import { openStep, peopleIn, runOf, SECRET } from './room-take-state.js';

/**
 * @typedef {import('./room-take-state.js').Room} Room
 * @typedef {import('./room-take-state.js').Step} Step
 * @typedef {{ballot: string, by: string, votes: number, acts: number, segments: Record<string, string>, given: Map<string, any>,
 *   again: string}} Person votes, acts: what was given so far by the ballot, and in the open
 */
const PAGE = '/app/sala';
const CLOSE = '/equipo/entregar-tableta';
const TURN_SECONDS = 90;
const PIN_SECONDS = 60;
/** @type {ReturnType<typeof watch> | undefined} */ let watching;
/** @type {() => void} */ let hand = () => {};
const warning = () => /** @type {HTMLElement} */ (document.querySelector('[data-warning]'));

/** @returns {Promise<string>} the session for which this tablet is being passed on, '' for none */
export async function passedSession() {
  const row = await store.read();
  return row && row.address === PAGE ? row.version : '';
}

/** Listens once to what tells that somebody is there. */
export function listen() {
  for (const name of ['pointerdown', 'keydown', 'input']) addEventListener(name, () => { if (watching && warning().hidden) watching.stir(); }, true);
  when(warning(), '[data-here]', () => { if (watching) watching.more(); warn(0); });
  // a page that comes back from the browser's memory would show what somebody gave
  addEventListener('pageshow', (event) => { if (event.persisted) location.reload(); });
  whenDark(() => watching && watching.look());
}

/** Asks for the PIN that leads back, and begins. @param {string} session @param {boolean} [isNew] another PIN than the one before */
export async function start(session, isNew = false) {
  const room = await roomNamed(session);
  const step = room && openStep(room);
  if (!room || !step || !isPassed(step) || room.closing) {
    show(made(room ? 'pass-none' : 'missing', { session }));
    return;
  }
  const pin = isNew ? undefined : await remembered(pinKey(session));
  const page = made('pass-start', { session, title: room.facts.title, label: said(step.label), known: !!pin });
  show(page);
  when(page, '[data-other]', () => { start(session, true); });
  when(page, 'form', async (form) => {
    const sealed = pin || await sealNew(form);
    if (!sealed) return;
    await remember(pinKey(session), sealed);
    await store.begin({ form: '', version: session, address: PAGE, alone: true, pin: sealed });
    await between(session, 'first');
  });
}

/** @param {ParentNode} form @returns {Promise<import('./kiosk-store.js').Pin | null>} */
async function sealNew(form) {
  const field = one(form, '#new-pin');
  const pin = field.value.trim();
  one(form, '.err').hidden = FORM.test(pin);
  if (!FORM.test(pin)) {
    field.focus();
    return null;
  }
  one(form, 'button').disabled = true; // a slow tablet takes two seconds
  return seal(pin);
}

/** The page between two people. @param {string} session @param {'first' | 'saved' | 'dropped'} after */
export async function between(session, after) {
  const room = await roomNamed(session);
  const step = room && openStep(room);
  still('neutral');
  const page = made('neutral', { [after]: true, counted: step && step.type in SECRET_OF, n: room && step ? peopleIn(room, step.name) : 0 });
  show(page);
  when(page, '[data-begin]', () => { if (room && step) who(room, step); });
  when(page, '[data-leave]', () => askPin(session));
  signOut();
}

/** Nobody is being waited for; the screen stays on. @param {'neutral' | 'turn' | 'pin' | ''} screen */
function still(screen) {
  if (watching) watching.stop();
  watching = undefined;
  warn(0);
  document.body.className = screen === 'turn' ? 'kiosk answering' : screen ? 'neutral kiosk' : '';
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('header, .skip'))) part.hidden = !!screen;
  stayAwake(!!screen);
}

/** @param {number} seconds left, 0: it need not be said */
function warn(seconds) {
  const box = warning();
  one(box, '[data-left]').textContent = String(seconds);
  if (box.hidden === !seconds) return;
  box.hidden = !seconds;
  one(document, '[data-take]').inert = !!seconds;
  if (seconds) one(box, '[data-here]').focus();
  else lead(one(document, '[data-take]'));
}

/** Where the facilitator left the node's pages open in this browser, they are closed: these are other hands. */
async function signOut() {
  const row = await store.read();
  if (row && !row.signedOut && await closePages(CLOSE)) await store.change({ signedOut: true });
}

// ---- a turn

/** Asks of which groups a person is, where the session asks that; then their turn. @param {Room} room @param {Step} step */
function who(room, step) {
  /** @type {Person} */
  const person = { ballot: token(), by: token(), votes: 0, acts: 0, segments: {}, given: new Map(), again: '' };
  hand = () => { between(room.session, person.given.size || person.acts ? 'saved' : 'dropped'); };
  const page = turnPage(step);
  if (!Object.keys(room.segments).length) {
    turn(room, step, person, page);
    return;
  }
  const segments = Object.entries(room.segments).map(([name, { label, values }]) => made('who-segment', { label: said(label) }, {
    values: [...Object.entries(values).map(([value, text]) => made('radio', { name, value, label: said(text) })),
      made('radio', { name, value: '', label: word('rather-not') })],
  }));
  const form = made('who', {}, { segments });
  for (const unsaid of form.querySelectorAll('[value=""]')) /** @type {HTMLInputElement} */ (unsaid).checked = true;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const typed = [...new FormData(/** @type {HTMLFormElement} */ (form))].filter(([, value]) => value);
    person.segments = Object.fromEntries(typed.map(([name, value]) => [name, String(value)]));
    turn(room, step, person, page);
  });
  one(page, '[data-part=body]').replaceChildren(form);
}

/** The frame of a turn: nothing but the step, and the way out of it. @param {Step} step @returns {HTMLElement} */
function turnPage(step) {
  still('turn');
  const page = made('turn', { label: said(step.label), hint: said(step.hint), secret: step.type in SECRET_OF });
  show(page);
  when(page, '[data-done]', () => hand());
  watching = watch(TURN_SECONDS, warn, () => hand());
  return page;
}

/** @param {Room} room @param {Step} step @param {Person} person @param {HTMLElement} page @param {boolean} [isGiven] something was stored just now */
function turn(room, step, person, page, isGiven = false) {
  const mine = (/** @type {string} */ what, ref = '') => person.given.get(`${what} ${ref}`);
  const give = async (/** @type {string} */ what, /** @type {any} */ payload, ref = '') => {
    const next = await say(room, ...thingsOf(room, person, step, what, payload, ref));
    person.again = '';
    if (page.isConnected) turn(next, step, person, page, true);
  };
  const change = (/** @type {string} */ ref) => {
    person.again = ref;
    turn(room, step, person, page);
  };
  const own = room.items.filter((item) => item.by === person.by);
  const parts = [
    ...(isGiven && step.type !== 'statements' ? [made('given')] : []), ...secretControls(room, step, mine, give, person.again, change),
    ...openForms(room, step, give, step.type in SECRET_OF),
    ...(own.length ? [made('own', {}, { rows: own.map(({ payload, state }) => made('own-item', { text: payload.text || payload.what || payload.reason, waiting: state === 'waiting' })) })] : []),
  ];
  one(page, '[data-part=body]').replaceChildren(...parts);
  one(page, '.turn-page').scrollTop = 0;
  const words = one(page, isGiven ? '.statement, .banner' : '.statement') || one(page, 'h1');
  words.tabIndex = -1;
  words.focus({ preventScroll: true });
}

/**
 * What a person gives, as contributions: secret ones by the ballot, which counts 1, 2, 3; others by a writer that ties
 * them to no vote. All votes of a round say the minute in which the step was opened: their own minutes, in the order in
 * which the tablet went round, would say whose they are. (Of two measures of one card the later one counts: theirs stay.)
 * @param {Room} room @param {Person} person @param {Step} step @param {string} what @param {any} payload of a measure: one for each item @param {string} ref
 * @returns {import('./room-take-log.js').Thing[]}
 */
function thingsOf(room, person, step, what, payload, ref) {
  const { ballot, by, segments } = person;
  const common = { what, step: step.name, mode: 'pass', ref };
  const at = what === 'measure' ? undefined : runOf(room, step.name).at;
  if (!SECRET.includes(what)) {
    person.acts += 1;
    return [{ ...common, payload, by, count: person.acts }];
  }
  return [].concat(payload).map((each) => {
    person.votes += 1;
    person.given.set(`${what} ${ref}`, each);
    return { ...common, payload: each, ballot, segments, count: person.votes, at };
  });
}

// ---- back to the facilitator

/** @param {string} session */
function askPin(session) {
  still('pin');
  const page = made('pin');
  show(page);
  watching = watch(PIN_SECONDS, () => 0, () => between(session, 'saved'));
  when(page, '[data-stay]', () => between(session, 'saved'));
  const field = one(page, '#pin');
  when(page, '[data-key]', ({ dataset }) => { field.value = dataset.key ? (field.value + dataset.key).slice(0, 12) : field.value.slice(0, -1); });
  when(page, 'form', async (form) => {
    const row = await store.read();
    if (!row) return;
    one(form, '.next').disabled = true;
    const { right, seconds } = await check(row, field.value);
    one(form, '.next').disabled = false;
    field.value = '';
    if (right) await leave(row, session);
    else refuse(form, seconds);
  });
  field.focus();
}

/** @param {import('./kiosk-store.js').Kiosk} row @param {string} session */
async function leave(row, session) {
  await store.finish(row);
  still('');
  hand = () => {};
  if (location.hash === '#' + session) dispatchEvent(new HashChangeEvent('hashchange'));
  else location.hash = session;
}

/** @param {HTMLElement} form @param {number} seconds until the next try is looked at */
function refuse(form, seconds) {
  const place = one(form, '.err');
  place.textContent = seconds ? word('wait-pin', { n: seconds }) : word('wrong-pin');
  place.hidden = false;
}
