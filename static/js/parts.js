// @ts-check
/** Parts of a page that say how it stands: which are shown (`data-say`), and what is written in them (`data-fill`). */

/** Shows these parts of the page and no others. @param {string[]} names */
export function say(...names) {
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-say]'))) {
    part.hidden = !names.includes(part.dataset.say || '');
  }
}

/** @param {string} name @param {number | string} value */
export function fill(name, value) {
  document.querySelectorAll(`[data-fill=${name}]`).forEach((place) => { place.textContent = String(value); });
}
