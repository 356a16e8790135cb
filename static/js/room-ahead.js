// @ts-check
/** How a room's page goes on after something was kept in the phone, while no node draws it anew. */
import { SECRET } from './room-records.js';

const $ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) =>
  /** @type {HTMLElement | null} */ (within.querySelector(selector));

/** Leaves the form as after a post: the next statement, an empty text, points that can be changed. @param {HTMLFormElement} form @param {string} what */
export function calm(form, what) {
  delete form.dataset.hold;
  for (const held of document.querySelectorAll('#now [data-hold]')) held.removeAttribute('data-hold');
  const card = /** @type {HTMLElement | null} */ (form.closest('.card-now'));
  if (card) turn(card);
  else if (!SECRET.includes(what)) form.reset();
}

/** Turns to the next statement that the page brought along. @param {HTMLElement} card */
function turn(card) {
  const next = $('[data-ahead] > [data-ref]', card);
  card.hidden = !next;
  if (!next) return lead($('#kept .banner'));
  /** @type {HTMLElement} */ ($('.over', card)).textContent = next.dataset.over || '';
  /** @type {HTMLElement} */ ($('.statement', card)).textContent = next.textContent;
  /** @type {HTMLInputElement} */ ($('[name=ref]', card)).value = next.dataset.ref || '';
  for (const button of card.querySelectorAll('.chosen')) {
    button.classList.remove('chosen');
    button.removeAttribute('aria-pressed');
  }
  next.remove();
  lead($('.statement', card));
}

/** Whoever reads with the keyboard or by ear goes on there; Enter again must not vote on the next statement unread. @param {HTMLElement | null} place */
function lead(place) {
  if (!place) return;
  place.tabIndex = -1;
  place.focus();
}
