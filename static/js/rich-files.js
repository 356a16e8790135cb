// @ts-check
/** Answers that are files: taken into the browser's store at once, so that a draft survives; sent after the record. */
import { freeFiles, takeFile } from './files.js';
import { addFile, dropFiles, held } from './rich.js';

/**
 * @typedef {import('./fill.js').Spot} Spot
 * @typedef {import('./rich.js').Page} Page
 */

const WORDS = (/** @type {Page} */ page) => ({
  record: page.text('record'), stop: page.text('stop'), again: page.text('again'), said: page.text('said'),
  refused: page.text('refused'), listen: page.text('listen'),
});
const TROUBLES = ['too_large', 'empty', 'not_kept']; // with a sentence of their own
// a draft is dropped when its record is saved: what was taken for it and is not in the record goes
addEventListener('outbox:changed', () => { freeFiles().catch(() => 0); });

/** @param {Spot} spot @param {HTMLInputElement} field @param {Page} page */
export function bindFile(spot, field, page) {
  const holder = /** @type {HTMLInputElement} */ (field.previousElementSibling);
  const said = /** @type {HTMLElement} */ (spot.box.querySelector('[data-said]'));
  const drop = /** @type {HTMLElement} */ (spot.box.querySelector('[data-drop]'));
  const say = (/** @type {string} */ words) => { said.textContent = words; };
  const answer = (/** @type {string} */ name) => {
    holder.value = name;
    holder.dispatchEvent(new Event('input', { bubbles: true }));
    showFile(spot, name, page);
    dropFiles();
  };
  field.addEventListener('input', (event) => event.stopPropagation());
  field.addEventListener('change', async () => {
    const file = field.files && field.files[0];
    if (!file) return;
    try {
      const entry = await takeFile(file, {
        kind: /** @type {any} */ (field.dataset.file), maxPixels: +(field.dataset.pixels || 0) || undefined,
        question: page.data.nodes[spot.i].k.replace(/.*\//, ''),
      });
      addFile(entry);
      answer(entry.name);
    } catch (error) {
      const { code, bytes } = /** @type {any} */ (error);
      say(page.text(TROUBLES.includes(code) ? code : 'unread').replace('{n}', (bytes / 1e6).toFixed(1)));
    }
    field.value = '';
  });
  drop.addEventListener('click', () => answer(''));
  if (field.dataset.file === 'audio' && isSecureContext) {
    import('./recorder.js').then((recorder) => recorder.attach(field, () => WORDS(page)), () => 0);
  }
}

/** @param {Spot} spot @param {string} value @param {Page} page */
export function showFile({ box }, value, page) {
  const said = /** @type {HTMLElement} */ (box.querySelector('[data-said]'));
  const entry = held.find((each) => each.name === value);
  const size = entry ? page.text('size').replace('{n}', String(Math.round(entry.bytes / 1000))) : '{name}';
  said.textContent = value && size.replace('{name}', value);
  /** @type {HTMLElement} */ (box.querySelector('[data-drop]')).hidden = !value;
}
