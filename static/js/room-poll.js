// @ts-check
/**
 * A room that changes is drawn again. Every few seconds a page asks for the room's mark, at most 500 bytes both ways;
 * only when it is another one does htmx fetch the part itself. Timers count down here.
 */

/** @type {WeakMap<Element, string>} */
const marks = new WeakMap();
/** @type {WeakMap<Element, {until: string, end: number}>} when a timer ends, by the clock of this page: that of the device may be wrong */
const ends = new WeakMap();

// what could not be fetched is asked for again
addEventListener('htmx:error', (event) => {
  const place = /** @type {Element} */ (event.target).closest('[data-mark]');
  if (place) marks.set(place, 'none');
});
ask();
setInterval(countDown, 1000);
addEventListener('htmx:after:swap', countDown);
countDown();

/** Ask for every polled part that stands in the page now; a part that htmx put anew is one of them. */
async function ask() {
  const places = /** @type {HTMLElement[]} */ ([...document.querySelectorAll('[data-mark]')]);
  await Promise.all(places.map(look));
  setTimeout(ask, 1000 * Number((places[0] && places[0].dataset.every) || 4));
}

/** @param {HTMLElement} place */
async function look(place) {
  if (document.hidden) return;
  const known = marks.get(place) || (place.dataset.known ? `"${place.dataset.known}"` : '');
  try {
    // no cookie and no referrer: the answer is the same for everybody, and both cost bytes every time
    const answer = await fetch(place.dataset.mark || '', {
      cache: 'no-store', credentials: 'omit', referrerPolicy: 'no-referrer',
      headers: known ? { 'If-None-Match': known } : {},
    });
    const isOurs = answer.headers.has('X-Collector');
    say(place, !isOurs);
    const mark = answer.headers.get('ETag');
    if (!isOurs || !mark || mark === known) return;
    marks.set(place, mark);
    if (known) place.dispatchEvent(new CustomEvent('changed'));
  } catch {
    say(place, true);
  }
}

/** @param {HTMLElement} place @param {boolean} isSilent */
function say(place, isSilent) {
  const line = document.getElementById(place.dataset.poll || '');
  if (line) line.hidden = !isSilent;
}

/** Show what is left of every timer, as minutes and seconds, and say when it is over: nothing is closed by it. */
function countDown() {
  for (const timer of /** @type {NodeListOf<HTMLElement>} */ (document.querySelectorAll('[data-seconds]'))) {
    const seconds = Math.max(0, Math.round((endOf(timer) - performance.now()) / 1000));
    const words = timer.querySelector('[data-left]');
    const left = `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
    if (words) words.textContent = seconds === 0 && timer.dataset.over ? timer.dataset.over : left;
    timer.classList.toggle('over-time', seconds === 0);
  }
}

/** @param {HTMLElement} timer @returns {number} when it ends; asked anew where somebody gave more time */
function endOf(timer) {
  const known = ends.get(timer);
  const until = timer.dataset.until || '';
  if (known && known.until === until) return known.end;
  const end = performance.now() + 1000 * Number(timer.dataset.seconds);
  ends.set(timer, { until, end });
  return end;
}
