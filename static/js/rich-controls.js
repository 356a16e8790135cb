// @ts-check
/**
 * The controls that only some forms have: searched and changing lists, ranks, parts of dates, places, sliders, files.
 * Each works without this script too; here it becomes easier. rich.js calls it for what stands in the page.
 *
 * @typedef {import('./fill.js').Spot} Spot
 * @typedef {import('./rich.js').Page} Page
 */
import { evaluate } from './engine.js';

const MOST = 30; // found choices that are drawn at once
const CUTS = { time: 5, 'datetime-local': 16, month: 7 }; // what a phone's own control shows of a stored text

/** @param {string} selector @param {ParentNode} within @returns {any} */
const $ = (selector, within) => within.querySelector(selector);
/** @param {string} text */
const folded = (text) => text.normalize('NFD').replace(/[\u0300-\u036f]/g, '').toLowerCase();
/** Tells the page that a control has another answer. @param {Element} field */
const tell = (field) => field.dispatchEvent(new Event('input', { bubbles: true }));

/** The names in a stored answer; the name of a single choice may hold blanks. @param {string} value @param {{t: string}} node */
const namesIn = (value, { t }) => (t === 'select_one' ? [value] : value.split(' ')).filter(Boolean);

/** @param {Spot} spot @param {Page} page */
export function bindControl(spot, page) {
  const { box } = spot;
  if (!page.data.nodes[spot.i].t) return;
  const search = $('[data-find]', box);
  if (search) bindSearch(spot, search, page);
  const slide = $('[data-slide]', box);
  if (slide) bindSlide(slide, $('.field', box));
  if ($('[data-here]', box)) bindPlace(box, page);
  if ($('[data-listed]', box)) import('./rich-places.js').then((module) => module.bindListed(spot, page));
  const file = $('[data-file]', box);
  if (file) import('./rich-files.js').then((module) => module.bindFile(spot, file, page));
}

/** @param {Spot} spot @param {string} value @param {Page} page @returns {boolean} whether it is written here */
export function writeControl({ box, i, row }, value, page) {
  const { t, y } = page.data.nodes[i];
  if (t === 'rank') {
    const names = value.split(' ');
    box.querySelectorAll('select').forEach((select, n) => { select.value = names[n] || ''; });
    return true;
  }
  if ($('[data-live]', box)) {
    drawChoices({ box, i, row, page: 0 }, page);
    return true;
  }
  const ticks = box.querySelectorAll('[type=radio],[type=checkbox]');
  if (ticks.length) {
    const chosen = namesIn(value, page.data.nodes[i]);
    for (const each of /** @type {NodeListOf<HTMLInputElement>} */ (ticks)) each.checked = chosen.includes(each.value);
    return true;
  }
  const field = $('.field', box);
  const file = $('[data-file]', box);
  if (file) {
    file.previousElementSibling.value = value;
    import('./rich-files.js').then((module) => module.showFile({ box, i, row, page: 0 }, value, page));
    return true;
  }
  const cut = y || (field && /** @type {Object<string, number>} */ (CUTS)[field.type]);
  if (cut && field.value !== value.slice(0, cut)) field.value = value.slice(0, cut);
  const slide = $('[data-slide]', box);
  if (slide && value) slide.value = value;
  return !!cut;
}

// -- choices that are drawn here

/** @param {Spot} spot @param {Page} page @returns {boolean} whether the question's choices are drawn here */
export function refreshChoices(spot, page) {
  if (!page.data.nodes[spot.i].t || !$('[data-live]', spot.box)) return false;
  drawChoices(spot, page);
  return true;
}

/** @param {Spot} spot @param {Page} page */
function drawChoices(spot, page) {
  const { box, i, row } = spot;
  const holder = $('[data-live]', box);
  const search = $('[data-find]', box);
  const chosen = namesIn((row || page.state).raw[i], page.data.nodes[i]);
  /** @type {[string[], Object<string, string>]} */
  const [names, labels] = search ? found(spot, search.value, chosen, page) : offered(spot, page);
  const drawn = JSON.stringify(names.map((name) => [name, labels[name]]));
  if (holder.dataset.drawn !== drawn) {
    holder.dataset.drawn = drawn;
    const had = document.activeElement && holder.contains(document.activeElement)
      ? /** @type {any} */ (document.activeElement).value : undefined;
    const anyField = $('input,select', holder) || search;
    const name = anyField ? anyField.name.replace(/^_find\//, '') : page.data.nodes[i].k;
    holder.replaceChildren(...names.map((each) => option(box, name, each, labels[each] || each)));
    const same = had !== undefined && [...holder.querySelectorAll('input')].find((field) => field.value === had);
    if (same) same.focus();
  }
  for (const field of holder.querySelectorAll('input')) field.checked = chosen.includes(field.value);
}

/** What is offered now: names and labels. @param {Spot} spot @param {Page} page @returns {[string[], Object<string, string>]} */
function offered({ i, row }, page) {
  const { F, l, w } = page.data.nodes[i];
  const names = F ? [] : [...new Set(page.state.choices(i, row))];
  if (w) return [names, page.state.choiceLabels(i, row)]; // answers: as they were typed
  const texts = textsOf(l, page);
  /** @type {Object<string, string>} */
  const labels = {};
  for (const n of F ? numbersOf(F, row, page) : texts.keys()) {
    const name = page.data.choices[l][n];
    if (F) names.push(name);
    if (F || !(name in labels)) labels[name] = page.state.say(texts[n], row) || name;
  }
  return [names, labels];
}

/** The labels of a list as people read them, in every language. @param {string} list @param {Page} page @returns {any[]} */
const textsOf = (list, page) => page.data.shown[list] || page.data.labels[list];

/** Choices of one name, as codes that start anew in each district, are told apart by their number in the list.
 * @param {any[]} filter @param {any} row @param {Page} page @returns {number[]} */
function numbersOf(filter, row, page) {
  page.state.env.row = row || page.state.root;
  return evaluate(filter, page.state.env).map(Number);
}

/** @param {Element} box @param {string} name @param {string} value @param {string} label */
function option(box, name, value, label) {
  const made = $('template', box).content.firstElementChild.cloneNode(true);
  const field = $('input', made);
  field.name = name;
  field.value = value;
  $('span', made).textContent = label;
  return made;
}

/** @type {WeakMap<any[], {language: string, folded: string[], labels: string[]}>} */
const known = new WeakMap();

/** The labels of a list in the language now, also as they are searched. @param {string} list @param {Page} page */
function labelsOf(list, page) {
  const texts = textsOf(list, page);
  const held = known.get(texts);
  if (held && held.language === page.language()) return held;
  const labels = texts.map((/** @type {any} */ text, /** @type {number} */ n) => page.state.say(text) || page.data.choices[list][n]);
  const made = { language: page.language(), labels, folded: labels.map(folded) };
  known.set(texts, made);
  return made;
}

/**
 * What is chosen, then what fits the search: the names to draw and their labels.
 * @param {Spot} spot @param {string} search @param {string[]} chosen @param {Page} page
 * @returns {[string[], Object<string, string>]}
 */
function found({ box, i, row }, search, chosen, page) {
  const { l: list, f, F } = page.data.nodes[i];
  const all = page.data.choices[list];
  const { labels, folded: searched } = labelsOf(list, page);
  const fitting = f && new Set(F ? numbersOf(F, row, page) : page.state.choices(i, row));
  const wanted = folded(search.trim());
  /** @type {Object<string, string>} */
  const shown = {};
  const names = [];
  let more = 0;
  for (let n = 0; n < all.length; n++) {
    const isChosen = chosen.includes(all[n]);
    const isOffered = !fitting || fitting.has(F ? n : all[n]);
    if (isChosen && (isOffered || !shown[all[n]])) shown[all[n]] = labels[n];
    if (isChosen || !isOffered || !searched[n].includes(wanted)) continue;
    if (names.length < MOST) {
      names.push(all[n]);
      shown[all[n]] = labels[n];
    } else more += 1;
  }
  const said = $('[data-said]', box);
  said.textContent = !names.length && wanted ? page.text('none') : more ? page.text('more').replace('{n}', String(more)) : '';
  return [[...chosen.filter((name) => name in shown), ...names], shown];
}

/** @param {Spot} spot @param {HTMLInputElement} search @param {Page} page */
function bindSearch(spot, search, page) {
  $('[data-search]', spot.box).hidden = true;
  search.addEventListener('input', (event) => {
    event.stopPropagation(); // what is searched is no answer
    drawChoices(spot, page);
  });
  search.addEventListener('keydown', (event) => { if (event.key === 'Enter') event.preventDefault(); });
  drawChoices(spot, page);
}

// -- numbers and places

/** @param {HTMLInputElement} slide @param {HTMLInputElement} field */
function bindSlide(slide, field) {
  slide.hidden = false;
  const take = (/** @type {Event} */ event) => {
    event.stopPropagation();
    if (field.value === slide.value) return;
    field.value = slide.value;
    tell(field);
  };
  slide.addEventListener('input', take);
  slide.addEventListener('pointerup', take); // a tap where the handle rests changes nothing, and is an answer all the same
}

/** Asks the device for its place. @param {(point: string, metres: number) => void} told @param {() => void} failed */
export function findPlace(told, failed) {
  navigator.geolocation.getCurrentPosition(({ coords }) => {
    const { latitude, longitude, altitude, accuracy } = coords;
    told([latitude.toFixed(7), longitude.toFixed(7), (altitude || 0).toFixed(1), accuracy.toFixed(1)].join(' '),
      Math.round(accuracy));
  }, failed, { enableHighAccuracy: true, timeout: 30000, maximumAge: 0 });
}

/** Browsers tell the place on secure addresses only. */
export const knowsPlaces = () => isSecureContext && !!navigator.geolocation;

/** @param {HTMLElement} box @param {Page} page */
function bindPlace(box, page) {
  const button = $('[data-here]', box);
  const said = $('[data-said]', box);
  const list = $('[data-listed]', box);
  const say = (/** @type {string} */ key) => { said.textContent = page.text(list ? key + '_list' : key); };
  if (!knowsPlaces()) { // it is chosen from the list, or written
    say('no_gps');
    return;
  }
  button.hidden = false;
  if (list) list.hidden = !list.open; // until the device cannot tell
  button.addEventListener('click', () => {
    said.textContent = page.text('searching');
    findPlace((point, metres) => {
      const field = $('.field', box);
      field.value = field.dataset.place === 'line' && field.value.trim() ? field.value.trim().replace(/;?$/, '; ') + point : point;
      said.textContent = page.text('accuracy').replace('{n}', String(metres));
      tell(field);
    }, () => {
      say('no_place');
      if (list) list.hidden = !(list.open = true);
    });
  });
}
