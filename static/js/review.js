// @ts-check
/**
 * Reviewing by keyboard: j and k go through the list, x chooses, a, i and r say it, c goes to the comment, ? helps.
 * Every key presses a link or a button of the page: what it does is what a finger there does.
 */

const WITH_COMMENT = ['has_issues', 'reject'];
/** @type {Record<string, string>} */
const SAYS = { a: 'approve', i: 'has_issues', r: 'reject' };

/** @type {Record<string, () => void>} */
const KEYS = {
  j: () => go(1),
  k: () => go(-1),
  x: choose,
  c: () => comment()?.focus(),
  '?': help,
};

addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
  const act = KEYS[event.key] || (SAYS[event.key] && (() => say(SAYS[event.key])));
  if (!act) return;
  event.preventDefault();
  act();
});

/** @param {EventTarget | null} target @returns {boolean} whether letters belong to a field */
function isTyping(target) {
  const field = target instanceof HTMLElement ? target : null;
  if (!field) return false;
  const isText = field instanceof HTMLInputElement && field.type !== 'checkbox';
  return isText || field instanceof HTMLTextAreaElement || field instanceof HTMLSelectElement;
}

/** @returns {HTMLElement[]} the lines of the list */
const lines = () => [...document.querySelectorAll('[data-line]')].map((line) => /** @type {HTMLElement} */ (line));

/** @returns {HTMLElement | undefined} the line that is shown beside */
const current = () => lines().find((line) => line.hasAttribute('aria-current'));

/** @param {number} step show the next line, or the one before; from nothing the first */
function go(step) {
  const all = lines();
  const at = all.findIndex((line) => line.hasAttribute('aria-current'));
  const line = all[at < 0 ? 0 : at + step];
  const link = line && line.querySelector('a');
  if (link) show(line, link);
}

/** @param {HTMLElement} line @param {HTMLAnchorElement} link */
function show(line, link) {
  mark(line);
  line.scrollIntoView({ block: 'nearest' });
  link.focus();
  link.click();
}

/** @param {HTMLElement} line say which line is the one shown */
function mark(line) {
  lines().forEach((each) => each.removeAttribute('aria-current'));
  line.setAttribute('aria-current', 'true');
  const kept = /** @type {HTMLInputElement | null} */ (document.querySelector('#queue [name=record]'));
  const box = /** @type {HTMLInputElement | null} */ (line.querySelector('[name=pick]'));
  if (kept && box) kept.value = box.value.split(' ')[0];
}

addEventListener('click', (event) => {
  const target = event.target instanceof Element ? event.target.closest('[data-line] a') : null;
  const line = target && /** @type {HTMLElement | null} */ (target.closest('[data-line]'));
  if (line) mark(line);
});

// where the record stands under the list it is brought into sight
addEventListener('htmx:after:swap', () => {
  const beside = document.getElementById('beside');
  if (beside && matchMedia('(max-width: 60em)').matches) beside.scrollIntoView();
});

function choose() {
  const line = current();
  const box = line && /** @type {HTMLInputElement | null} */ (line.querySelector('[name=pick]'));
  if (box) box.checked = !box.checked;
}

/** @returns {boolean} whether several are meant */
const isMany = () => Boolean(document.querySelector('#queue [name=pick]:checked, #queue [name=all]:checked'));

/** @returns {HTMLTextAreaElement | null} the comment of the chosen ones, else that of the record shown */
const comment = () => document.querySelector(isMany() ? '#bulk-comment' : '#comment');

/** @param {string} action press its button; where a comment is missing go and write it */
function say(action) {
  const form = isMany() ? '#queue' : '#one';
  const button = /** @type {HTMLButtonElement | null} */ (document.querySelector(`${form} [value=${action}]`));
  const text = comment();
  if (text && WITH_COMMENT.includes(action) && !text.value.trim()) text.focus();
  else if (button) button.click();
}

function help() {
  const keys = /** @type {HTMLDetailsElement | null} */ (document.getElementById('keys'));
  if (!keys) return;
  keys.open = !keys.open;
  if (keys.open) keys.scrollIntoView({ block: 'nearest' });
}
