// @ts-check
/**
 * What the facilitator does on the page between two people: chooses the PIN before she hands the tablet over, gives it to
 * have it back; and what her node is told and asked when there is a signal.
 */
import { check, FORM, seal } from './kiosk-pin.js';

/** @typedef {import('./kiosk-store.js').Kiosk} Kiosk */
const $ = (/** @type {string} */ selector) => /** @type {any} */ (document.querySelector(selector));

/** Listens to the form that starts it. @param {(pin: import('./kiosk-store.js').Pin, alone: boolean) => void} begin */
export function whenChosen(begin) {
  const setup = $('[data-setup]');
  setup.addEventListener('submit', async (/** @type {Event} */ event) => {
    event.preventDefault();
    const field = $('#new-pin');
    const pin = field.value.trim();
    const isFit = FORM.test(pin);
    $('[data-setup] .err').hidden = isFit;
    $('[data-setup] .q').classList.toggle('bad', !isFit);
    if (!isFit) {
      field.focus();
      return;
    }
    const button = $('[data-setup] .next');
    button.disabled = true; // a slow tablet takes two seconds
    const sealed = await seal(pin);
    button.disabled = false;
    field.value = '';
    begin(sealed, $('#alone').checked);
  });
}

/** Listens to the form that ends it. @param {() => Kiosk | undefined} row @param {() => void} leave */
export function whenGiven(row, leave) {
  $('[data-pad]').addEventListener('click', pressKey);
  $('[data-pin]').addEventListener('submit', async (/** @type {Event} */ event) => {
    event.preventDefault();
    const kiosk = row();
    if (!kiosk) return;
    const button = $('[data-pin] .next');
    button.disabled = true;
    const { right, seconds } = await check(kiosk, $('#pin').value);
    button.disabled = false;
    emptyPin();
    if (right) leave();
    else refuse(seconds);
  });
}

export function emptyPin() {
  $('#pin').value = '';
  $('[data-pin] .err').hidden = true;
}

/** @param {number} seconds until the next try is looked at */
function refuse(seconds) {
  const place = $('[data-pin] .err');
  place.textContent = (seconds ? place.dataset.wait : place.dataset.wrong).replace('{n}', String(seconds));
  place.hidden = false;
  $('#pin').focus();
}

/** @param {MouseEvent} event */
function pressKey(event) {
  const key = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[data-key]'));
  if (!key) return;
  const field = $('#pin');
  field.value = key.dataset.key ? (field.value + key.dataset.key).slice(0, 12) : field.value.slice(0, -1);
}

/**
 * Closes the facilitator's pages of this browser on the node: what she had open must not stay open in other hands.
 * @param {string} address @returns {Promise<boolean>} whether the node did; false without a signal
 */
export async function closePages(address) {
  const answer = await fetch(address, { method: 'POST' }).catch(() => null);
  return !!answer && answer.ok && !!answer.headers.get('X-Collector');
}

/**
 * Asks for the newest version of the form.
 * @param {string} address @returns {Promise<{version: string, address: string, survey: string} | null>} null without a signal
 */
export async function newest(address) {
  const answer = await fetch(address, { cache: 'no-store' }).catch(() => null);
  return answer && answer.ok && answer.headers.get('X-Collector') ? answer.json() : null;
}
