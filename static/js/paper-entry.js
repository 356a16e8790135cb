// @ts-check
/**
 * Entering a filled sheet by the keyboard alone: numbers and letters choose, Enter goes on. The node says after every
 * answer what is asked now; keys that come meanwhile wait their turn, so that nobody has to look up from the paper.
 */
import { ask, fieldText, focusStop, lineOf, pickByKey, pickByLetters, redraw, show, stopsIn } from './paper-lines.js';

const SAVE = 'Save';
const form = /** @type {HTMLFormElement | null} */ (document.querySelector('form[data-entry]'));
if (form) start(form);

/** @param {HTMLFormElement} form */
function start(form) {
  /** @param {string} value "1": the page shows what is asked now */
  const setLive = (value) => { /** @type {HTMLInputElement} */ (form.elements.namedItem('_live')).value = value; };
  /** @type {string[]} keys that came while the node was asked */
  const waiting = [];
  /** @type {HTMLElement | null} where the focus was last: an answer may hide the very line it stands in */
  let lastStop = null;
  let answer = Promise.resolve();
  let isWaiting = false, isChanged = false, asked = 0;

  /** Asks the node what is shown now; an answer that a later question overtook is left alone. */
  function look() {
    isChanged = false;
    const number = ++asked;
    answer = ask(form, 'look', 'application/json').then((reply) => reply.json())
      .then((state) => {
        if (number === asked) show(form, state);
        setLive('1');
      })
      .catch(() => setLive('')); // the node looks at everything again when the sheet is kept
  }

  /** Goes on to the next stop, or back, once the node has said what is asked now. @param {number} step */
  async function go(step) {
    const here = /** @type {HTMLElement} */ (lineOf(document.activeElement) || document.activeElement);
    const from = here.contains(form) && lastStop ? lastStop : here;
    if (isChanged) look();
    isWaiting = true;
    await answer;
    const all = stopsIn(form);
    const next = step > 0
      ? all.find((stop) => from.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_FOLLOWING && !from.contains(stop))
      : all.reverse().find((stop) => from.compareDocumentPosition(stop) & Node.DOCUMENT_POSITION_PRECEDING);
    if (next) focusStop(next);
    goOnTyping();
  }

  /** Does what was typed while the node was asked. */
  function goOnTyping() {
    isWaiting = false;
    for (let key = waiting.shift(); key !== undefined; key = waiting.shift()) {
      press(key);
      if (isWaiting) return; // the rest follows when that has gone on
    }
  }

  /** Does what a key that had to wait would have done. @param {string} key */
  function press(key) {
    const element = /** @type {HTMLElement} */ (document.activeElement);
    if (key === SAVE) form.requestSubmit(/** @type {HTMLElement} */ (form.querySelector('[value=save][data-stop]')));
    else if (key === 'Enter' && element instanceof HTMLButtonElement) element.click();
    else if (key === 'Enter' || key === 'Tab') void go(1);
    else if (take(element, key)) return;
    else if (fieldText(element)) {
      const field = /** @type {HTMLInputElement} */ (element);
      field.setRangeText(key, field.selectionStart || 0, field.selectionEnd || 0, 'end');
      isChanged = true;
    }
  }

  /** Takes a key where options are chosen; false elsewhere. @param {HTMLElement} element @param {string} key */
  function take(element, key) {
    const line = lineOf(element);
    if (element instanceof HTMLSelectElement && !element.multiple) {
      isChanged = pickByLetters(element, key) || isChanged;
      return true;
    }
    if (!line || line.dataset.line !== 'keys') return false;
    if (pickByKey(line, key)) look();
    return true;
  }

  /** Adds or takes away a row, and goes on in it. @param {HTMLButtonElement} button */
  async function changeRows(button) {
    isWaiting = true;
    try {
      await redraw(form, button.value);
      begin();
    } catch { // without the node the browser says so itself
      button.dataset.plain = '';
      button.click();
    }
    goOnTyping();
  }

  function begin() {
    const row = form.dataset.rowNew;
    const inRow = row && form.querySelector(`[data-row="${CSS.escape(row)}"] [data-line]:not([hidden])`);
    const first = /** @type {HTMLElement | null} */ (inRow || form.querySelector('.line.bad')) || stopsIn(form)[0];
    if (first) focusStop(first);
    setLive('1');
  }

  form.addEventListener('keydown', (event) => {
    const element = /** @type {HTMLElement} */ (event.target);
    const isText = !event.ctrlKey && !event.metaKey && !event.altKey && event.key.length === 1;
    const isOnButton = element instanceof HTMLButtonElement || element instanceof HTMLAnchorElement;
    const done = () => event.preventDefault();
    if (event.key === 'Enter' && event.ctrlKey) {
      done();
      if (isWaiting) waiting.push(SAVE);
      else press(SAVE);
    } else if (isWaiting && (isText || event.key === 'Enter' || event.key === 'Tab')) {
      done();
      waiting.push(event.key);
    } else if ((event.key === 'Enter' && !isOnButton) || (event.key === 'Tab' && isChanged && !isOnButton)) {
      done();
      void go(event.shiftKey ? -1 : 1);
    } else if (isText && take(element, event.key)) done();
    else if (event.key === 'Backspace' && lineOf(element)?.dataset.line === 'keys') {
      done();
      for (const input of /** @type {HTMLElement} */ (lineOf(element)).querySelectorAll('input')) input.checked = false;
      look();
    }
  });
  // letters that come without a key of their own: accents, phones, voice
  form.addEventListener('beforeinput', (event) => {
    if (!isWaiting || !event.data) return;
    event.preventDefault();
    waiting.push(...event.data);
  });
  form.addEventListener('click', (event) => {
    const button = /** @type {HTMLElement} */ (event.target).closest('button');
    if (!button || !/^(add|remove):/.test(button.value) || button.dataset.plain !== undefined) return;
    event.preventDefault();
    void changeRows(button);
  });
  form.addEventListener('focusin', (event) => {
    const element = /** @type {HTMLElement} */ (event.target);
    lastStop = lineOf(element) || element.closest('[data-stop]') || lastStop;
  });
  form.addEventListener('input', () => { isChanged = true; });
  form.addEventListener('change', () => { if (isChanged) look(); });

  /** @type {HTMLElement} */ (document.querySelector('[data-help]')).hidden = false;
  begin();
}
