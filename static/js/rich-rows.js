// @ts-check
/**
 * The rows of repeats in the page: sections that come and go with the rows of the record, and keep their place, their
 * focus and their names. Each repeat is a .rows box with a <template> of one row.
 *
 * @typedef {import('./settling.js').Row} Row
 * @typedef {import('./rich.js').Page} Page
 */
/** @type {WeakMap<Element, Row>} */ const rowOfSection = new WeakMap();
/** @type {WeakMap<Row, HTMLElement>} */ const sectionOf = new WeakMap();

/** @param {string} selector @param {ParentNode} within @returns {HTMLElement[]} */
const $$ = (selector, within) => Array.from(within.querySelectorAll(selector));

/** The row that a box stands in, undefined outside repeats. @param {Element} box @returns {Row | undefined} */
export function rowOf(box) {
  const section = box.parentElement && box.parentElement.closest('[data-row]');
  return section ? rowOfSection.get(section) : undefined;
}

/** How many answers stand in rows. @param {any} kept @returns {number} */
export function weight(kept) {
  const rows = /** @type {any[]} */ ([].concat(.../** @type {any} */ (Object.values(kept.r || {}))));
  return rows.reduce((sum, row) => sum + Object.keys({ ...row.v, ...row.l }).length + weight(row), 0);
}

/** The repeats that stand right in a place, not in a row of it. @param {Element} place @returns {HTMLElement[]} */
const repeatsIn = (place) => $$('.rows', place).filter((box) => (
  /** @type {Element} */ (box.parentElement).closest('[data-row],form') === place));

/** Brings the rows of the page in line with those of the record. @param {Element} place @param {Row} row @returns {boolean} */
export function syncRows(place, row) {
  let changed = false;
  for (const box of repeatsIn(place)) {
    const held = row.rows[box.dataset.i || 0];
    const sections = /** @type {HTMLElement[]} */ (Array.from(box.children)).filter((each) => each.dataset.row !== undefined);
    const free = sections.filter((section) => !rowOfSection.has(section));
    for (const section of sections) {
      const its = rowOfSection.get(section);
      if (its ? !held.includes(its) : free.indexOf(section) >= held.length) {
        section.remove();
        changed = true;
      }
    }
    for (const each of held) {
      const section = sectionOf.get(each) || free.shift() || addSection(box);
      if (!sectionOf.has(each)) changed = true;
      sectionOf.set(each, section);
      rowOfSection.set(section, each);
      section.hidden = !each.on;
      changed = syncRows(section, each) || changed;
    }
  }
  return changed;
}

/** @param {HTMLElement} box @returns {HTMLElement} */
function addSection(box) {
  const template = /** @type {HTMLTemplateElement} */ (box.querySelector(':scope > template'));
  const section = /** @type {HTMLElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
  box.insertBefore(section, template);
  return section;
}

/** Gives each row its number, and each field in it its name: what the node gets if it has to take the page itself.
 * @param {Page} page */
export function nameEverything(page) {
  nameRows(page.form, '', '', page);
  for (const { box, i, row } of page.spots()) {
    if (!row) continue;
    const section = /** @type {HTMLElement} */ (sectionOf.get(row));
    const { prefix, tag } = section.dataset;
    const name = prefix + page.data.nodes[i].k;
    box.id = `q-${i}${tag}`;
    if (!page.data.nodes[i].t) continue;
    const label = box.querySelector('label.legend');
    if (label) /** @type {HTMLLabelElement} */ (label).htmlFor = `a-${i}${tag}`;
    for (const field of /** @type {any[]} */ ($$('input,select,textarea', box))) {
      if (field.id) field.id = `a-${i}${tag}`;
      if (field.name) field.name = field.name.replace(/^(_\w+\/)?.*/, (/** @type {string} */ _, /** @type {string} */ own) => (own || '') + name);
    }
  }
}

/** @param {Element} place @param {string} prefix @param {string} tag @param {Page} page */
function nameRows(place, prefix, tag, page) {
  for (const box of repeatsIn(place)) {
    const { k } = page.data.nodes[box.dataset.i || 0];
    box.dataset.name = prefix + k;
    let number = 0;
    for (const section of /** @type {HTMLElement[]} */ (Array.from(box.children))) {
      if (section.dataset.row === undefined) continue;
      number += 1;
      section.dataset.prefix = `${prefix}${k}[${number}]/`;
      section.dataset.tag = `${tag}-${number}`;
      const shown = section.querySelector('[data-number]');
      if (shown) shown.textContent = String(number);
      const head = section.querySelector('.rowhead b');
      section.setAttribute('aria-label', head ? (head.textContent || '').trim() : String(number));
      nameRows(section, section.dataset.prefix, section.dataset.tag, page);
    }
  }
}

/** Adds or removes the row that a button stands for. @param {Event} event @param {Page} page */
export function changeRows(event, page) {
  const button = /** @type {Element} */ (event.target).closest('[data-add],[data-remove]');
  if (!button) return;
  event.preventDefault();
  const box = /** @type {HTMLElement} */ (button.closest('.rows'));
  const i = +(box.dataset.i || 0);
  const parent = rowOf(box) || page.state.root;
  const isAdded = button.hasAttribute('data-add');
  let at = parent.rows[i].length;
  if (isAdded) page.state.addRow(i, parent);
  else {
    const section = /** @type {HTMLElement} */ (button.closest('[data-row]'));
    const row = rowOfSection.get(section);
    at = parent.rows[i].indexOf(row);
    const head = /** @type {Element} */ (section.querySelector('.rowhead b')).textContent || '';
    const isEmpty = !weight({ r: { 0: [page.state.dump(row)] } });
    if (!isEmpty && !confirm(page.text('drop').replace('{n}', head.trim()))) return;
    page.state.removeRow(i, at, parent);
    at -= 1;
  }
  page.react();
  const held = parent.rows[i];
  const near = held[Math.max(0, Math.min(at, held.length - 1))];
  const section = near && sectionOf.get(near);
  const target = section ? section.querySelector('.rowhead') : box.querySelector(':scope > [data-add]');
  if (target) /** @type {HTMLElement} */ (target).focus();
  page.keep();
}
