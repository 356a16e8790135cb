// @ts-check
/** The lines of a sheet: where one goes on to, what a line does with a key, which lines are shown. */
const PAUSE_MS = 1500; // what comes later begins anew: a second digit, more letters of a name
let typed = '', typedAt = 0;
/** @type {Element | null} */
let typedIn = null;

/** @param {Element} place @returns {string} what was typed here just now */
function before(place) {
  const isFresh = typedIn === place && Date.now() - typedAt < PAUSE_MS;
  [typedIn, typedAt] = [place, Date.now()];
  return isFresh ? typed : '';
}

/** @param {string} text */
const folded = (text) => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();

/** Tells a field that letters are typed into. @param {Element} element */
export const fieldText = (element) => element instanceof HTMLTextAreaElement
  || (element instanceof HTMLInputElement && element.type === 'text');

/**
 * Ticks the option of what is typed; of two digits the second takes back the tick of the first.
 * @param {HTMLElement} line @param {string} key @returns {boolean} whether an option was meant
 */
export function pickByKey(line, key) {
  const inputs = [...line.querySelectorAll('input')].filter((input) => !(/** @type {HTMLElement} */ (input.parentElement).hidden));
  const find = (/** @type {string} */ text) => inputs.find((input) => text && input.dataset.key === text);
  const first = before(line);
  const both = first && find(first + key.toLowerCase());
  const chosen = both || find(key.toLowerCase());
  typed = both ? first + key.toLowerCase() : key.toLowerCase();
  if (!chosen) return false;
  const taken = both && find(first);
  if (taken && taken.type === 'checkbox') taken.checked = !taken.checked;
  chosen.checked = chosen.type === 'radio' || !chosen.checked;
  chosen.focus();
  return true;
}

/**
 * Chooses from a list by the first letters, accents or not.
 * @param {HTMLSelectElement} list @param {string} key @returns {boolean} whether something begins so
 */
export function pickByLetters(list, key) {
  typed = before(list) + folded(key);
  const found = [...list.options].find((option) => !option.disabled && option.value && folded(option.text).startsWith(typed));
  if (found) found.selected = true;
  return !!found;
}

/** @param {Element | null} element @returns {HTMLElement | null} */
export const lineOf = (element) => element && element.closest('[data-line]');

/** @param {HTMLElement} element */
const isSeen = (element) => !element.closest('[hidden]') && !element.closest('fieldset:disabled')
  && !element.querySelector(':scope > .field:disabled');

/** Where Enter stops: the lines, the buttons that add a row, the one that saves. @param {HTMLElement} form */
export const stopsIn = (form) =>
  /** @type {HTMLElement[]} */ ([...form.querySelectorAll('[data-line], [data-stop]')]).filter(isSeen);

/** @param {HTMLElement} stop */
export function focusStop(stop) {
  const inside = stop.querySelector('input:checked') || stop.querySelector('label:not([hidden]) > input, .field') || stop;
  const target = /** @type {HTMLElement} */ (stop.matches('[data-line]') ? inside : stop);
  target.focus();
  if (fieldText(target)) /** @type {HTMLInputElement} */ (target).select();
  stop.scrollIntoView({ block: 'nearest' });
}

/**
 * Shows what is asked now, with what its lists offer.
 * @param {HTMLElement} form @param {{shown: string[], offered: Record<string, string[]>}} state
 */
export function show(form, state) {
  const shown = new Set(state.shown);
  for (const element of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll('[data-tag]'))) {
    element.hidden = !shown.has(element.dataset.tag || '');
  }
  for (const tag of Object.keys(state.offered)) {
    const line = form.querySelector(`[data-tag="${tag}"]`);
    if (line) offer(line, new Set(state.offered[tag]));
  }
}

/** Leaves out what an answer elsewhere rules out. @param {Element} line @param {Set<string>} names */
function offer(line, names) {
  for (const option of line.querySelectorAll('option')) {
    const isOut = option.value !== '' && !names.has(option.value);
    option.hidden = option.disabled = isOut;
    if (isOut) option.selected = false;
  }
  for (const input of line.querySelectorAll('input')) {
    const isOut = !names.has(input.value);
    /** @type {HTMLElement} */ (input.parentElement).hidden = isOut;
    if (isOut) input.checked = false;
  }
}

/** Posts what stands on the page. @param {HTMLFormElement} form @param {string} go @param {string} accept */
export async function ask(form, go, accept) {
  const body = new URLSearchParams();
  for (const [name, value] of new FormData(form)) if (typeof value === 'string') body.append(name, value);
  body.set('_go', go);
  const reply = await fetch(form.action, { method: 'POST', body, headers: { Accept: accept } });
  if (!reply.ok) throw new Error(`${reply.status}`);
  return reply;
}

/** Takes the lines anew from the node, with a row more or less. @param {HTMLFormElement} form @param {string} go */
export async function redraw(form, go) {
  const page = await (await ask(form, go, 'text/html')).text();
  const drawn = /** @type {HTMLElement | null} */ (new DOMParser().parseFromString(page, 'text/html').querySelector('form[data-entry]'));
  if (!drawn) throw new Error('no sheet in the answer');
  form.replaceChildren(...drawn.childNodes);
  form.dataset.rowNew = drawn.dataset.rowNew;
}
