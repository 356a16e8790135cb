// @ts-check
/**
 * The place by list of a geopoint, where the device cannot tell a point: first the province or comarca, then its districts,
 * then what people call the place. Without this script the same list stands there in one piece.
 *
 * @typedef {import('./fill.js').Spot} Spot
 * @typedef {import('./rich.js').Page} Page
 */
const MOST = 200; // characters of what a person writes, as on the node

/** @param {Spot} spot @param {Page} page */
export function bindListed(spot, page) {
  const list = /** @type {HTMLDetailsElement} */ (spot.box.querySelector('[data-listed]'));
  const [province, code] = /** @type {HTMLSelectElement[]} */ ([...list.querySelectorAll('select')]);
  const near = /** @type {HTMLInputElement} */ (list.querySelector('[data-near]'));
  const groups = [...code.querySelectorAll('optgroup')].map(({ label, children }) => (
    { label, options: /** @type {HTMLOptionElement[]} */ ([...children]) }));
  const [blank] = code.options;
  const before = textOf(code.value, near.value); // chosen before the scripts were here, or drawn by the node
  const held = page.state.listed(spot.i, spot.row) || before;

  /** Offers what is in the province that is chosen; the province alone will do. */
  const narrow = () => {
    const group = groups.find((each) => each.label === province.value);
    const [whole, ...districts] = group ? group.options : [blank];
    const first = /** @type {HTMLOptionElement} */ (blank.cloneNode(true));
    first.value = whole.value;
    code.replaceChildren(first, ...districts);
    /** @type {HTMLElement} */ (code.parentElement).hidden = !districts.length;
  };

  province.append(blank.cloneNode(true), ...groups.map((each) => new Option(each.label, each.label)));
  /** @type {HTMLElement} */ (province.parentElement).hidden = false;
  const its = held && groups.find((each) => each.options[0].value === held.slice(0, 2));
  province.value = its ? its.label : '';
  narrow();
  code.value = held.split(' ')[0];
  near.value = held ? held.slice(code.value.length + 1) : near.value;
  if (held) list.hidden = !(list.open = true);
  list.addEventListener('input', (event) => {
    if (event.target === province) {
      narrow();
      code.selectedIndex = 0;
    }
    page.state.list(spot.i, textOf(code.value, near.value), spot.row); // fill.js hears the same event next
  });
  if (before && !page.state.listed(spot.i, spot.row)) {
    page.state.list(spot.i, before, spot.row);
    page.keep();
  }
}

/** What is kept: the code, then what was written; nothing without a code. @param {string} code @param {string} near */
function textOf(code, near) {
  const words = [...near.normalize('NFC').replace(/[\0\s]+/g, ' ').trim()].slice(0, MOST).join('').trim();
  return code && (words ? `${code} ${words}` : code);
}
