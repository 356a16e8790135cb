// @ts-check
/**
 * Draws the pages of a session on a tablet from the <template>s that the node wrote into the page once, in the language
 * of the browser. Every text of a person goes in as text: nothing here makes HTML of strings.
 *
 *   {name}        in a text or an attribute: that word      data-if="name", "!name": the part is left out otherwise
 *   data-part="name": those nodes
 *
 * @typedef {Record<string, any>} Words
 * @typedef {Record<string, Node | Node[]>} Parts
 */

const HOLE = /\{(\w+)\}/g;
const language = () => document.documentElement.lang;

/**
 * Gives a template filled in. Throws for a name that the page has not.
 * @param {string} name @param {Words} [words] @param {Parts} [parts] @returns {HTMLElement} its first element
 */
export function made(name, words = {}, parts = {}) {
  const found = document.getElementById('t-' + name);
  if (!(found instanceof HTMLTemplateElement)) throw new Error(`no template ${name}`);
  const copy = /** @type {DocumentFragment} */ (found.content.cloneNode(true));
  for (const part of copy.querySelectorAll('[data-if]')) {
    const wanted = part.getAttribute('data-if') || '';
    if (wanted.startsWith('!') ? words[wanted.slice(1)] : !words[wanted]) part.remove();
    else part.removeAttribute('data-if');
  }
  const write = (/** @type {string} */ text) => text.replace(HOLE, (hole, key) => (key in words ? String(words[key]) : hole));
  const walk = document.createTreeWalker(copy, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
  while (walk.nextNode()) fillIn(walk.currentNode, write);
  for (const place of copy.querySelectorAll('[data-part]')) {
    place.replaceChildren(.../** @type {Node[]} */ ([]).concat(parts[place.getAttribute('data-part') || ''] || []));
  }
  return /** @type {HTMLElement} */ (copy.firstElementChild);
}

/** @param {Node} node @param {(text: string) => string} write */
function fillIn(node, write) {
  if (node instanceof Text) {
    if (node.data.includes('{')) node.data = write(node.data);
    return;
  }
  for (const attribute of /** @type {Element} */ (node).attributes) {
    if (attribute.value.includes('{')) attribute.value = write(attribute.value);
  }
}

/** @param {string} name @param {Words} [words] @returns {string} one of the page's short sentences, filled in */
export function word(name, words = {}) {
  const found = /** @type {HTMLTemplateElement} */ (document.getElementById('t-words')).content.querySelector(`[data-word="${name}"]`);
  return ((found && found.textContent) || '').replace(HOLE, (hole, key) => (key in words ? String(words[key]) : hole));
}

/** @param {any} text of a guide: words, or words by language @returns {string} */
export function said(text) {
  if (!text) return '';
  return typeof text === 'string' ? text : text[language()] || text.es || Object.values(text)[0] || '';
}

/** @param {string} finished ISO 8601 @returns {string} "14:32", as the clock of the one who said it stood */
export const clock = (finished) => finished.slice(11, 16);

/** Shows a page and leads to its head, so that who reads by ear or keyboard goes on there. @param {HTMLElement} page */
export function show(page) {
  const screen = /** @type {HTMLElement} */ (document.querySelector('[data-take]'));
  screen.replaceChildren(page);
  scrollTo(0, 0);
  lead(page);
}

/** @param {ParentNode} page */
export function lead(page) {
  const head = /** @type {HTMLElement | null} */ (page.querySelector('h1'));
  if (!head) return;
  head.tabIndex = -1;
  head.focus({ preventScroll: true });
}

/**
 * Draws a part of the page anew; what was unfolded stays so, and what had the focus keeps it where it is still there.
 * @param {HTMLElement} place @param {Node[]} nodes
 */
export function redraw(place, nodes) {
  const { id } = document.activeElement || { id: '' };
  const held = id && place.contains(document.activeElement);
  const unfolded = [...place.querySelectorAll('details[open]')].map((part) => part.id);
  place.replaceChildren(...nodes);
  for (const name of unfolded) {
    const part = document.getElementById(name);
    if (part instanceof HTMLDetailsElement) part.open = true;
  }
  const again = held ? document.getElementById(id) : null;
  if (again) again.focus();
  else if (held) lead(place);
}

/** @param {ParentNode} within @param {string} selector @returns {any} */
export const one = (within, selector) => within.querySelector(selector);

/** @param {ParentNode} within @param {string} selector @param {(element: any, event: any) => void} act */
export function when(within, selector, act) {
  for (const element of within.querySelectorAll(selector)) {
    element.addEventListener(element.matches('form') ? 'submit' : 'click', (event) => {
      event.preventDefault();
      act(element, event);
    });
  }
}
