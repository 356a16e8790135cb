// @ts-check
/**
 * Lays paper sheets out page by page: every page gets the head with the serial and says which page it is of how many.
 * Without it the browser breaks the pages and repeats the head; only the numbers of the pages are missing then.
 */
const PAPER_MM = 297 - 2 * 12;
const SLACK_MM = 6; // printers and screens do not round alike

/** @param {Document} page */
export function layOut(page) {
  const sheets = /** @type {HTMLTableElement[]} */ ([...page.querySelectorAll('table[data-sheet]')]);
  if (!sheets.length) return;
  const breaks = breaksOf(sheets[0], (PAPER_MM - SLACK_MM) * millimetre(page));
  for (const sheet of sheets) split(sheet, breaks);
  twoSided(page);
}

/** @param {Document} page @returns {number} pixels */
function millimetre(page) {
  const probe = page.body.appendChild(page.createElement('div'));
  probe.className = 'a4';
  const height = probe.offsetHeight;
  probe.remove();
  return height / 297;
}

/** @param {HTMLTableElement} sheet @param {number} room @returns {number[]} rows with which a new page begins */
function breaksOf(sheet, room) {
  const head = /** @type {HTMLElement} */ (sheet.tHead).offsetHeight;
  const rows = [...sheet.tBodies[0].rows];
  /** @type {number[]} */
  const breaks = [];
  let top = rows[0].offsetTop - head;
  rows.forEach((row, n) => {
    if (row.offsetTop + row.offsetHeight - top <= room) return;
    let first = n; // a heading stays with what it heads
    while (first > (breaks[breaks.length - 1] || 0) + 1 && rows[first - 1].dataset.withNext !== undefined) first--;
    breaks.push(first);
    top = rows[first].offsetTop - head;
  });
  return breaks;
}

/** @param {HTMLTableElement} sheet @param {number[]} breaks */
function split(sheet, breaks) {
  const place = /** @type {HTMLElement} */ (sheet.parentElement);
  const rows = [...sheet.tBodies[0].rows];
  const pages = [place];
  breaks.forEach((first, n) => {
    const next = /** @type {HTMLElement} */ (place.cloneNode(false));
    const table = /** @type {HTMLTableElement} */ (sheet.cloneNode(false));
    const body = place.ownerDocument.createElement('tbody');
    body.append(...rows.slice(first, breaks[n + 1]));
    table.append(/** @type {Node} */ (sheet.tHead).cloneNode(true), body);
    next.append(table);
    pages[n].after(next);
    pages.push(next);
  });
  pages.forEach((page, n) => {
    /** @type {HTMLElement} */ (page.querySelector('[data-page]')).textContent =
      `· ${(sheet.dataset.pageWords || '').replace('{n}', `${n + 1}`).replace('{total}', `${pages.length}`)}`;
  });
  if (pages.length % 2) {
    const blank = place.ownerDocument.createElement('section');
    blank.className = 'a4 blank';
    pages[pages.length - 1].after(blank);
  }
}

/** Printed on both sides, each sheet begins on a new piece of paper. @param {Document} page */
function twoSided(page) {
  const choice = /** @type {HTMLElement | null} */ (page.querySelector('[data-two-sided]'));
  if (!choice) return;
  choice.hidden = false;
  choice.addEventListener('change', (event) => {
    const preview = /** @type {HTMLElement} */ (page.querySelector('.preview'));
    preview.classList.toggle('two-sided', /** @type {HTMLInputElement} */ (event.target).checked);
  });
}
