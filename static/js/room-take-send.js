// @ts-check
/**
 * How far a session's records came, and sending them. They leave by the outbox of this browser like everything else; a
 * node takes a facilitator's records only from a browser that gave its PIN, so that is asked for here.
 */
import { drain } from './outbox.js';
import { made, one, show, when, word } from './room-take-draw.js';
import { counts, roomNamed, takeOff } from './room-take-log.js';

const DOOR = '/equipo/pin';
const TRIES = 3;
const PAUSE = 700;
const CHANGES = ['outbox:changed', 'sala:changed'];

/** Draws the counts of a session, and draws them anew while it is on the screen. @param {HTMLElement} place @param {string} session */
export async function drawCounts(place, session) {
  const send = document.createElement('div');
  const draw = async () => {
    if (!place.isConnected && place.hasChildNodes()) {
      for (const name of CHANGES) removeEventListener(name, draw);
      return;
    }
    const { all, sent, central, held, waiting } = (await counts())(session);
    const drawn = made('counts', {
      saved: all, sent, central, held,
      sentState: sent === all ? 'done' : 'wait', centralState: central === all ? 'done' : 'wait',
    });
    one(drawn, '[data-send]').replaceWith(send);
    place.replaceChildren(drawn);
    const isAll = !waiting && central === all;
    if (!waiting && send.dataset.done !== String(isAll)) say(send, session, 'done', '', isAll);
    else if (waiting && (send.dataset.done || !send.hasChildNodes())) say(send, session, 'idle');
  };
  await draw();
  for (const name of CHANGES) addEventListener(name, draw);
}

/**
 * @param {HTMLElement} place @param {string} session @param {'idle' | 'pin' | 'nosignal' | 'refused' | 'working' | 'done'} state
 * @param {string} [why] @param {boolean} [isAll] central has all of it
 */
function say(place, session, state, why = '', isAll = false) {
  place.dataset.done = state === 'done' ? String(isAll) : '';
  const drawn = made('send', {
    idle: state === 'idle' || state === 'nosignal' || state === 'refused', pin: state === 'pin', nosignal: state === 'nosignal',
    refused: state === 'refused' && why, working: state === 'working', done: state === 'done', all: isAll, session, there: `/sala/${session}`,
  });
  place.replaceChildren(drawn);
  when(drawn, '[data-go]', () => { send(place, session); });
  when(drawn, 'form', (form) => givePin(form, place, session));
  if (state === 'pin') one(drawn, 'input').focus();
}

/** Sends what waits, and says what came of it. @param {HTMLElement} place @param {string} session */
async function send(place, session) {
  let refused = 0;
  const hear = (/** @type {any} */ event) => { refused = event.detail.status; };
  say(place, session, 'working');
  await import('./room-send.js').then(({ unlock }) => unlock(), () => {}); // no signal: nothing to unlock
  addEventListener('room:refused', hear);
  // another tab, or this one, may be at it already: what it sends counts too
  for (let tried = 0; tried < TRIES && !refused && await waits(session); tried += 1) {
    if (tried) await new Promise((resolve) => setTimeout(resolve, PAUSE));
    await drain();
  }
  removeEventListener('room:refused', hear);
  const { waiting, central, all } = (await counts())(session);
  if (!waiting) say(place, session, 'done', '', central === all);
  else if (refused === 401) say(place, session, 'pin');
  else if (refused) say(place, session, 'refused', String(refused));
  else say(place, session, 'nosignal');
}

/** @param {string} session @returns {Promise<boolean>} whether anything of a session is not with the node yet */
const waits = async (session) => (await counts())(session).waiting > 0;

/** @param {HTMLElement} form @param {HTMLElement} place @param {string} session */
async function givePin(form, place, session) {
  const field = one(form, 'input');
  const button = one(form, 'button');
  button.disabled = true;
  const body = new URLSearchParams({ pin: field.value });
  const answer = await fetch(DOOR, { method: 'POST', body, redirect: 'manual', headers: { Accept: 'application/json' } }).catch(() => null);
  button.disabled = false;
  if (!answer || (answer.type === 'basic' && !answer.headers.get('X-Collector'))) say(place, session, 'nosignal');
  else if (answer.type === 'opaqueredirect') await send(place, session);
  else {
    const wait = answer.headers.get('Retry-After');
    one(form, '.err').textContent = wait ? word('wait-pin', { n: wait }) : word('wrong-pin');
    one(form, '.err').hidden = false;
    field.value = '';
    field.focus();
  }
}

/** Asks whether a session is to go from this tablet, once central has all of it. @param {string} session @param {() => void} done */
export async function remove(session, done) {
  const room = await roomNamed(session);
  if (!room) {
    show(made('missing'));
    return;
  }
  const { all, central } = (await counts())(session);
  const page = made('remove', { session, title: room.facts.title, sure: central === all, unsure: central < all });
  show(page);
  when(page, '[data-remove]', () => { takeOff(session).then(done, () => remove(session, done)); });
}
