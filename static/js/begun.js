// @ts-check
/** Drafts of this browser, to go on with or to throw away: on the start page, on "Mis respuestas", and before a form. */
import { drafts, dropDraft } from './outbox.js';
import { clock } from './receipt.js';

/** @typedef {import('./outbox.js').Draft} Draft */
const $ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) =>
  /** @type {any} */ (within.querySelector(selector));

/** @param {Draft} draft @returns {string} where it goes on: the page of its own version */
const addressOf = (draft) => `${draft.address}#b=${encodeURIComponent(draft.key)}`;

/** Keeps the list of a page true. */
export function start() {
  const place = $('[data-drafts]');
  const tell = async () => {
    const found = await drafts().catch(() => []);
    place.hidden = !found.length;
    draw(place, found);
    // one yellow button a page: what was begun comes first
    if (found.length && $('.next', place)) document.querySelectorAll('.items.forms .next').forEach((link) => link.classList.remove('next'));
  };
  for (const name of ['outbox:changed', 'pageshow']) addEventListener(name, tell);
  tell();
}

/**
 * Asks with which draft to go on; resolves with none for a new record.
 * @param {Draft[]} found @param {HTMLFormElement} form @param {string} version of this page
 * @returns {Promise<Draft | undefined>}
 */
export function choose(found, form, version) {
  const section = $('#begun').content.firstElementChild.cloneNode(true);
  const rest = /** @type {HTMLElement[]} */ (Array.from(form.children)).filter((part) => !part.hidden);
  rest.forEach((part) => { part.hidden = true; });
  form.prepend(section);
  draw(section, found, version);
  return new Promise((resolve) => {
    const end = (/** @type {Draft | undefined} */ draft) => {
      removeEventListener('outbox:changed', tell);
      section.remove();
      rest.forEach((part) => { part.hidden = false; });
      resolve(draft);
    };
    const tell = async () => {
      const left = (await drafts()).filter(({ form: name }) => name === found[0].form);
      if (left.length) draw(section, left, version);
      else end(undefined);
    };
    addEventListener('outbox:changed', tell);
    section.addEventListener('click', (/** @type {MouseEvent} */ event) => {
      const pressed = /** @type {Element} */ (event.target);
      const link = /** @type {HTMLAnchorElement | null} */ (pressed.closest('[data-go]'));
      const draft = link && found.find((each) => each.key === link.dataset.go);
      if (draft && draft.version !== version) return; // another page: the link leads there
      if (!draft && !pressed.closest('[data-new]')) return;
      event.preventDefault();
      end(draft || undefined);
    });
  });
}

/** Draws a line a draft. @param {HTMLElement} place @param {Draft[]} found @param {string} [version] of the page that asks */
function draw(place, found, version) {
  const list = $('[data-list]', place);
  list.replaceChildren(...found.map((draft, at) => {
    const line = $('template', place).content.cloneNode(true);
    $('[data-title]', line).textContent = draft.title || draft.form;
    $('[data-title]', line).hidden = !!version; // the page says it
    const [n, total] = draft.step || [];
    const far = total ? $('[data-far]', line).dataset.far.replace('{n}', n).replace('{total}', total) : '';
    $('[data-far]', line).textContent = [clock(draft.at), far].filter(Boolean).join(' · ');
    $('[data-old]', line).hidden = !version || version === draft.version;
    const link = $('[data-go]', line);
    link.href = addressOf(draft);
    link.dataset.go = draft.key;
    if (at) link.classList.remove('next');
    $('[data-drop]', line).addEventListener('click', () => throwAway(draft, list.dataset.sure));
    return line;
  }));
}

/** @param {Draft} draft @param {string} question */
async function throwAway(draft, question) {
  if (!confirm(question)) return;
  await dropDraft(draft.key);
  // without a signal the script may not be here: then they go when files are next looked at
  if (draft.files && draft.files.length) import('./files.js').then((files) => files.freeFiles()).catch(() => 0);
}
