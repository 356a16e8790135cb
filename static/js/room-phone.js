// @ts-check
/**
 * The phone of somebody in a room. The buttons + and - work here without asking the node; what is being filled in is
 * not drawn anew under the hands, a line says that there is something new instead. All of it works without this script.
 */

const MOST_STONES = 30;
const now = document.getElementById('now');
const turn = document.querySelector('form[data-idle]');

if (now) {
  now.addEventListener('click', press);
  now.addEventListener('changed', tell);
  addEventListener('htmx:config:request', ask);
  addEventListener('htmx:before:request', hold);
  addEventListener('htmx:after:swap', calm);
}

if (turn instanceof HTMLFormElement) watch(turn);

/** A tablet that is put down half way goes back to the page between two people. @param {HTMLFormElement} form */
function watch(form) {
  let timer = 0;
  const start = () => {
    clearTimeout(timer);
    timer = window.setTimeout(() => form.submit(), 1000 * Number(form.dataset.idle));
  };
  for (const kind of ['pointerdown', 'keydown', 'input']) addEventListener(kind, start, { passive: true });
  start();
}

/** @returns {boolean} whether something is being filled in that nobody has stored yet */
function isHeld() {
  return !!now && !!now.querySelector('[data-hold]');
}

/** Ask for what is on the screen: the step that was chosen, and the thanks for what was given. @param {Event} event */
function ask(event) {
  const shown = now && now.querySelector('[data-shown]');
  if (event.target !== now || !(shown instanceof HTMLElement)) return;
  /** @type {any} */ (event).detail.ctx.request.action = shown.dataset.shown;
}

/** Leave the page as it is while it is held. @param {Event} event */
function hold(event) {
  if (event.target === now && isHeld()) event.preventDefault();
}

function tell() {
  const line = document.getElementById('news');
  if (line && isHeld()) line.hidden = false;
}

/** @param {Event} event */
function calm(event) {
  const line = document.getElementById('news');
  if (line && !isHeld()) line.hidden = true;
  if (/** @type {any} */ (event).detail.ctx.request.method === 'POST') lead();
}

/** After something was given, whoever reads with the keyboard or by ear goes on at what the page says now. */
function lead() {
  if (!now || document.activeElement !== document.body) return;
  const words = now.querySelector('#trouble, .statement, #thanks, h1');
  if (!(words instanceof HTMLElement)) return;
  words.tabIndex = -1;
  words.focus();
}

/** Put or take a point. @param {Event} event */
function press(event) {
  const button = /** @type {HTMLElement} */ (event.target).closest('button[name=_more], button[name=_less]');
  const row = button && button.closest('[data-option]');
  const form = button && button.closest('form');
  if (!(button instanceof HTMLButtonElement) || !row || !form) return;
  event.preventDefault();
  const field = /** @type {HTMLInputElement} */ (row.querySelector('input[type=hidden]'));
  const count = Number(field.value);
  const change = button.name === '_more' ? 1 : -1;
  if (count + change < 0 || (change > 0 && left(form) <= 0)) return;
  field.value = String(count + change);
  form.dataset.hold = '';
  draw(form);
}

/** @param {HTMLFormElement} form @returns {HTMLElement} */
function purse(form) {
  return /** @type {HTMLElement} */ (form.querySelector('[data-purse]'));
}

/** @param {HTMLFormElement} form @returns {number} the points that are left */
function left(form) {
  let given = 0;
  for (const field of form.querySelectorAll('[data-option] input')) given += Number(/** @type {HTMLInputElement} */ (field).value);
  return Number(purse(form).dataset.purse) - given;
}

/** Draw counts, stones and which buttons can do something. @param {HTMLFormElement} form */
function draw(form) {
  const rest = left(form);
  const words = purse(form).querySelector('[data-left-over]');
  if (words) words.textContent = String(rest);
  purse(form).querySelectorAll('.stones i').forEach((stone, place) => stone.classList.toggle('full', place < rest));
  for (const row of form.querySelectorAll('[data-option]')) drawRow(row, rest);
}

/** @param {Element} row @param {number} rest */
function drawRow(row, rest) {
  const count = Number(/** @type {HTMLInputElement} */ (row.querySelector('input')).value);
  const [shown, stones] = [row.querySelector('output'), row.querySelector('.stones')];
  if (shown) shown.textContent = String(count);
  if (stones) stones.replaceChildren(...Array.from({ length: Math.min(count, MOST_STONES) }, stone));
  able(row.querySelector('[name=_less]'), count > 0);
  able(row.querySelector('[name=_more]'), rest > 0);
}

/** @returns {HTMLElement} */
function stone() {
  const one = document.createElement('i');
  one.className = 'full';
  return one;
}

/** @param {Element | null} button @param {boolean} isAble */
function able(button, isAble) {
  if (button) isAble ? button.removeAttribute('aria-disabled') : button.setAttribute('aria-disabled', 'true');
}
