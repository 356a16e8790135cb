// @ts-check
/** The button that prints, and sheets laid out page by page, each page with its serial and its number. */
import { layOut } from './paper-pages.js';

for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (document.querySelectorAll('[data-print]'))) {
  button.hidden = false;
  button.addEventListener('click', () => print());
}
layOut(document);
