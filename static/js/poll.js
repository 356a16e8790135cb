// @ts-check
/** Polled parts of a facilitator's page: an unchanged one is not sent again and stays untouched; silence is said. */

// a facilitator's device collects for many people: its browser is asked not to throw away what is kept in it
if (navigator.storage && navigator.storage.persist) navigator.storage.persist().catch(() => 0);

/** @type {WeakMap<Element, string>} */
const tags = new WeakMap();

/** @param {any} event @returns {HTMLElement | null} the polled part that htmx speaks of */
const placeOf = (event) => event.target.closest && event.target.closest('[data-poll]');

addEventListener('htmx:config:request', (event) => {
  const place = placeOf(event);
  const tag = place && tags.get(place);
  // htmx swaps nothing on a 304; a script sees one only when it asks itself
  if (tag && event.target === place) /** @type {any} */ (event).detail.ctx.request.headers['If-None-Match'] = tag;
});

addEventListener('htmx:before:response', (event) => {
  const place = placeOf(event);
  const { headers } = /** @type {any} */ (event).detail.ctx.response;
  if (!place) return;
  if (!headers.get('X-Collector')) event.preventDefault(); // a Wi-Fi portal's page
  else if (headers.get('ETag')) tags.set(place, headers.get('ETag'));
  say(place, !headers.get('X-Collector'));
});

addEventListener('htmx:error', (event) => {
  const place = placeOf(event);
  if (place) say(place, true);
});

/** @param {HTMLElement} place @param {boolean} isSilent */
function say(place, isSilent) {
  const line = document.getElementById(place.dataset.poll || '');
  if (line) line.hidden = !isSilent;
}
