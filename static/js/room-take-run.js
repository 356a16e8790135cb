// @ts-check
/** The facilitator's page of a session: its steps, what waits, the last act, who is there. Each act is a contribution. */
import { isoLocal } from './outbox.js';
import { clock, made, one, redraw, said, show, when, word } from './room-take-draw.js';
import { formsOf, isKnown, isPassed, openForms, SECRET_OF } from './room-take-forms.js';
import { aboutRoom } from './room-take-list.js';
import { roomNamed, say } from './room-take-log.js';
import { consentForm, keptConsent, seatRows } from './room-take-people.js';
import { drawCounts } from './room-take-send.js';
import { nextStep, openStep, peopleIn, runOf, setting, waitingOf } from './room-take-state.js';

/**
 * @typedef {import('./room-take-state.js').Room} Room
 * @typedef {import('./room-take-state.js').Step} Step
 * @typedef {import('./room-take-log.js').Thing} Thing
 * @typedef {(...things: Thing[]) => Promise<void>} Act says things and draws the page anew; rejects when they are not kept
 */
const MINUTE = 60000;
const MOST_PRESENT = 5000;

/** @param {string} session */
export async function run(session) {
  let room = await roomNamed(session);
  if (!room) {
    show(made('missing'));
    return;
  }
  const page = made('run', { session, title: room.facts.title || word('untitled'), about: aboutRoom(room) });
  const place = one(page, '[data-live]');
  const draw = (trouble = '') => {
    redraw(place, [live(/** @type {Room} */ (room), act, trouble)]);
    tellTime(page);
  };
  /** @type {Act} */
  const act = async (...things) => {
    try {
      room = await say(/** @type {Room} */ (room), ...things);
    } catch (error) {
      draw(word('not-kept'));
      throw error;
    }
    draw();
  };
  draw();
  show(page);
  keepTime(page);
}

/** @param {Room} room @param {Act} act @param {string} trouble @returns {HTMLElement} */
function live(room, act, trouble) {
  const quietly = (/** @type {Thing[]} */ ...things) => { act(...things).catch(() => 0); };
  const waiting = waitingOf(room);
  const lasts = lastRows(room, quietly);
  const drawn = made('live', {
    trouble, closed: room.closing, waiting: waiting.length, last: lasts.length, seats: room.seats.length, present: room.present || '',
  }, {
    steps: room.steps.map((step, n) => stepRow(room, step, n + 1, act)),
    waiting: waiting.map((item) => waitingRow(item, quietly)),
    last: lasts, seats: seatRows(room),
    // read aloud first; then it stands aside
    [room.consents[''] ? 'consentLater' : 'consentFirst']: made('consent', {}, { group: consentForm(room, '') }),
  });
  drawCounts(one(drawn, '[data-part=counts]'), room.session);
  listenToPeople(drawn, room, quietly);
  return drawn;
}

/** @param {HTMLElement} drawn @param {Room} room @param {(...things: Thing[]) => void} quietly */
function listenToPeople(drawn, room, quietly) {
  when(drawn, '[data-consent]', (form) => {
    const told = keptConsent(room, '', form);
    if (told) quietly(told);
  });
  when(drawn, '[data-present]', (form) => {
    const typed = one(form, 'input').value.trim();
    if (/^\d{1,4}$/.test(typed) && Number(typed) <= MOST_PRESENT) quietly({ what: 'presentes', payload: { count: Number(typed) } });
    else one(form, 'input').focus();
  });
  when(drawn, '[data-add]', () => quietly({ what: 'seat', seat: freeSeat(room) }));
}

/** @param {Room} room @returns {string} the lowest code that nobody has */
function freeSeat(room) {
  const taken = new Set(room.seats.map(({ code }) => code));
  let number = 1;
  while (taken.has(`P${number}`)) number += 1;
  return `P${number}`;
}

// ---- steps

/** @param {Room} room @param {Step} step @param {number} n @param {Act} act */
function stepRow(room, step, n, act) {
  const { state, until } = runOf(room, step.name);
  const isOpen = state === 'open';
  const isSecret = step.type in SECRET_OF;
  const told = room.items.filter((item) => item.step === step.name && item.what !== 'note').length;
  const give = (/** @type {string} */ what, /** @type {any} */ payload, /** @type {string | undefined} */ ref) =>
    act({ what, payload, ref, step: step.name });
  const next = nextStep(room);
  const row = made('step', {
    n, session: room.session, name: encodeURIComponent(step.name), state, label: said(step.label), hint: said(step.hint),
    type: word('type-' + step.type) || step.type, open: isOpen, locked: state === 'locked', revealed: state === 'revealed',
    hidden: state === 'hidden', showable: isOpen || state === 'locked', ended: state === 'locked' || state === 'revealed',
    people: peopleIn(room, step.name), present: room.present, until: isOpen && until, told, acts: !room.closing,
    next: next && next.name === step.name ? ' next' : '', lockNext: isSecret ? '' : ' next', passNext: isSecret ? ' next' : '',
    passed: isOpen && isPassed(step) && !room.closing,
    spoken: step.type === 'prompt', photo: step.type === 'photo', unknown: !isKnown(step),
  }, { give: isOpen && !room.closing && formsOf(step).length ? openForms(room, step, give, true) : [] });
  when(row, '[data-state]', (button) => { act(...stepThings(room, step, button.dataset.state)).catch(() => 0); });
  when(row, '[data-minutes]', (button) => { act(timeThing(room, step, Number(button.dataset.minutes))).catch(() => 0); });
  return row;
}

/** One is open at a time: what was open before is locked. @param {Room} room @param {Step} step @param {string} state @returns {Thing[]} */
function stepThings(room, step, state) {
  const now = openStep(room);
  /** @type {Thing[]} */
  const before = state === 'open' && now && now.name !== step.name ? [{ what: 'step', step: now.name, payload: { state: 'locked' } }] : [];
  const minutes = state === 'open' ? setting(step, 'minutes') : 0;
  const until = minutes ? { until: isoLocal(new Date(Date.now() + minutes * MINUTE)) } : {};
  return [...before, { what: 'step', step: step.name, payload: { state, ...until } }];
}

/** More minutes, from now or from when the timer ends; 0 ends it. @param {Room} room @param {Step} step @param {number} minutes @returns {Thing} */
function timeThing(room, step, minutes) {
  const run = runOf(room, step.name);
  const start = Math.max(Date.now(), Date.parse(run.until) || 0);
  const until = minutes ? { until: isoLocal(new Date(start + minutes * MINUTE)) } : {};
  return { what: 'step', step: step.name, payload: { state: run.state, ...until } };
}

/** @param {HTMLElement} page */
function keepTime(page) {
  const timer = setInterval(() => {
    if (page.isConnected) tellTime(page);
    else clearInterval(timer);
  }, 1000);
}

/** Writes the time that is left. @param {HTMLElement} page */
function tellTime(page) {
  for (const timer of /** @type {NodeListOf<HTMLElement>} */ (page.querySelectorAll('[data-until]'))) {
    const left = Math.ceil((Date.parse(timer.dataset.until || '') - Date.now()) / 1000);
    const words = `${Math.floor(left / 60)}:${String(left % 60).padStart(2, '0')}`;
    one(timer, '[data-left]').textContent = left > 0 ? words : word('over-time');
    timer.classList.toggle('over-time', left <= 0);
  }
}

// ---- what waits, and the last act

/** @param {import('./room-take-state.js').Item} item @param {(...things: Thing[]) => void} quietly */
function waitingRow(item, quietly) {
  const row = made('waiting', { id: item.id, text: item.payload.text });
  when(row, '[data-state]', (button) => quietly({ what: 'moderate', ref: item.id, payload: { state: button.dataset.state } }));
  return row;
}

/** @param {Room} room @param {(...things: Thing[]) => void} quietly @returns {HTMLElement[]} */
function lastRows(room, quietly) {
  const { done, undone } = room;
  const rows = [];
  if (done) rows.push(lastRow(room, done, done.id, 'done', quietly));
  if (undone) rows.push(lastRow(room, undone.about, undone.undo.id, 'back', quietly));
  return rows;
}

/**
 * @param {Room} room @param {import('./room-take-state.js').Said} about @param {string} ref what an undo would name
 * @param {'done' | 'back'} which @param {(...things: Thing[]) => void} quietly
 */
function lastRow(room, about, ref, which, quietly) {
  const step = room.steps.find(({ name }) => name === about.step);
  const where = step ? `: ${said(step.label)}` : about.seat ? `: ${about.seat}` : '';
  const state = about.what === 'step' ? ` (${word('state-' + about.payload.state)})` : '';
  const words = `${word('act-' + about.what)}${where}${state} · ${clock(about.finished)}`;
  const row = made('last', { words, which, done: which === 'done', back: which === 'back' });
  when(row, 'button', () => quietly({ what: 'undo', ref }));
  return row;
}
