// @ts-check
/**
 * What each person gives in secret in a step: votes on statements, points, an order, a triad, a dyad, a measure. The rules
 * are those of collector/rooms/fitting.py: what a node would not count cannot be given here.
 *
 * @typedef {import('./room-take-state.js').Room} Room
 * @typedef {import('./room-take-state.js').Step} Step
 * @typedef {import('./room-take-forms.js').Give} Give
 * @typedef {(what: string, ref?: string) => any} Mine what this person gave of a thing so far, undefined for nothing
 */
import { made, one, said, when, word } from './room-take-draw.js';
import { option, read, SECRET_OF, trouble } from './room-take-forms.js';
import { setting, shownOf } from './room-take-state.js';
import { linkCode } from './room-take-codes.js';

const STONES = 10; // a triad is given in ten stones, each a tenth
const POLES = ['a', 'b', 'c'];
const MOST_STONES = 30;
const WIDEST_SCALE = 20;

/**
 * @param {Room} room @param {Step} step @param {Mine} mine @param {Give} give @param {string} again statement whose vote is changed
 * @param {(ref: string) => void} change asks for the statement anew @returns {HTMLElement[]} none for a step without
 */
export function secretControls(room, step, mine, give, again, change) {
  const what = SECRET_OF[step.type];
  if (what === 'vote') return votes(room, step, mine, give, again, change);
  if (what === 'allocation' || what === 'triad') return [points(step, mine, give, what)];
  if (what === 'dyad') return [dyad(step, mine, give)];
  if (what === 'rank') return [rank(step, mine, give)];
  return what === 'measure' ? [measure(room, step, give)] : [];
}

/** Stores what a form gives; the button rests meanwhile, so that a second tap gives nothing. @param {HTMLElement} form @param {() => Promise<void>} store */
async function once(form, store) {
  const buttons = /** @type {HTMLButtonElement[]} */ (Array.from(form.querySelectorAll('button')));
  for (const button of buttons) button.disabled = true;
  await store().catch(() => trouble(form, 'not-kept'));
  for (const button of buttons) button.disabled = false;
}

// ---- statements, one at a time, in the order in which they were said

/** @param {Room} room @param {Step} step @param {Mine} mine @param {Give} give @param {string} again @param {(ref: string) => void} change */
function votes(room, step, mine, give, again, change) {
  const items = shownOf(room, 'statement', setting(step, 'of'));
  const voted = items.filter(({ id }) => mine('vote', id));
  const card = items.find(({ id }) => id === again) || items.find(({ id }) => !mine('vote', id));
  const parts = [card ? voteCard(card, voted.length + 1, items.length, mine, give) : made(items.length ? 'voted-all' : 'no-statements')];
  if (voted.length) {
    const rows = voted.map(({ id, payload }) => {
      const row = made('voted-one', { text: payload.text, choice: word(mine('vote', id).choice) });
      when(row, '[data-again]', () => change(id));
      return row;
    });
    parts.push(made('voted', { n: voted.length, total: items.length }, { rows }));
  }
  return parts;
}

/** @param {import('./room-take-state.js').Item} item @param {number} n @param {number} total @param {Mine} mine @param {Give} give */
function voteCard(item, n, total, mine, give) {
  const before = (mine('vote', item.id) || {}).choice;
  const card = made('vote', { n, total, text: item.payload.text, mark: before });
  when(card, '[data-choice]', (button) => once(card, () => give('vote', { choice: button.dataset.choice }, item.id)));
  const chosen = before && one(card, `[data-choice=${before}]`);
  if (chosen) {
    chosen.classList.add('chosen');
    chosen.setAttribute('aria-pressed', 'true');
  }
  return card;
}

// ---- points, and the stones of a triad

/** @param {Step} step @param {Mine} mine @param {Give} give @param {'allocation' | 'triad'} what @returns {HTMLElement} */
function points(step, mine, give, what) {
  const options = step.options || [];
  const budget = what === 'triad' ? STONES : setting(step, 'points');
  const given = keptPoints(options, mine(what), what);
  const rows = options.map((each, n) => made('point', { n: n + 1, label: said(each.label), option: said(each.label) }));
  const form = made('points', { triad: what === 'triad' }, { rows });
  const draw = () => drawPoints(form, rows, given, budget);
  rows.forEach((row, n) => {
    when(row, '[data-more]', () => { if (left(given, budget) > 0) given[n] += 1; draw(); });
    when(row, '[data-less]', () => { if (given[n] > 0) given[n] -= 1; draw(); });
  });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const payload = what === 'triad' ? triadOf(given) : allocationOf(options, given);
    if (!payload) trouble(form, what === 'triad' ? 'stones-left' : 'no-points');
    else once(form, () => give(what, payload));
  });
  when(form, '[data-na]', () => once(form, () => give('triad', { na: true })));
  draw();
  return form;
}

/** @param {import('./room-take-state.js').Option[]} options @param {any} before @param {string} what @returns {number[]} */
function keptPoints(options, before, what) {
  if (!before) return options.map(() => 0);
  return options.map(({ name }, n) => (what === 'triad' ? (before[POLES[n]] || 0) / STONES : before.points[name] || 0));
}

/** @param {number[]} given @param {number} budget */
const left = (given, budget) => budget - given.reduce((sum, count) => sum + count, 0);

/** @param {number[]} given @returns {any} null while stones are left */
const triadOf = (given) => (left(given, STONES) ? null : Object.fromEntries(POLES.map((pole, n) => [pole, given[n] * STONES])));

/** @param {import('./room-take-state.js').Option[]} options @param {number[]} given @returns {any} null for none at all */
function allocationOf(options, given) {
  const found = options.map(({ name }, n) => /** @type {[string, number]} */ ([name, given[n]])).filter(([, count]) => count);
  return found.length ? { points: Object.fromEntries(found) } : null;
}

/** @param {HTMLElement} form @param {HTMLElement[]} rows @param {number[]} given @param {number} budget */
function drawPoints(form, rows, given, budget) {
  const rest = left(given, budget);
  one(form, '[data-left-over]').textContent = String(rest);
  stones(one(form, '.purse [data-stones]'), Math.min(budget, MOST_STONES), rest);
  rows.forEach((row, n) => {
    one(row, 'output').textContent = String(given[n]);
    stones(one(row, '[data-stones]'), Math.min(given[n], MOST_STONES), given[n]);
    able(one(row, '[data-less]'), given[n] > 0);
    able(one(row, '[data-more]'), rest > 0);
  });
}

/** @param {HTMLElement} place @param {number} all @param {number} full how many of them are filled */
function stones(place, all, full) {
  place.replaceChildren(...Array.from({ length: all }, (_, n) => {
    const stone = document.createElement('i');
    if (n < full) stone.className = 'full';
    return stone;
  }));
}

/** @param {HTMLElement} button @param {boolean} isAble */
const able = (button, isAble) => (isAble ? button.removeAttribute('aria-disabled') : button.setAttribute('aria-disabled', 'true'));

// ---- an order, two poles, before and after

/** @param {Step} step @param {Mine} mine @param {Give} give @returns {HTMLElement} */
function dyad(step, mine, give) {
  const [first, second] = (step.options || []).map(({ label }) => said(label));
  const form = made('dyad', { label: said(step.label), first, second });
  const before = mine('dyad');
  if (before) one(form, `[value="${before.na ? 'na' : before.value}"]`).checked = true;
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const chosen = one(form, ':checked');
    if (!chosen) trouble(form, 'missing', one(form, 'input'));
    else once(form, () => give('dyad', chosen.value === 'na' ? { na: true } : { value: Number(chosen.value) }));
  });
  return form;
}

/** @param {Step} step @param {Mine} mine @param {Give} give @returns {HTMLElement} */
function rank(step, mine, give) {
  const options = step.options || [];
  const before = (mine('rank') || { order: [] }).order;
  const places = options.map((_, n) => {
    const place = made('place', { n: n + 1 }, { options: [option('', word('unplaced')), ...options.map(({ name, label }) => option(name, said(label)))] });
    one(place, 'select').value = before[n] || '';
    return place;
  });
  const form = made('rank', {}, { places });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const order = places.map((place) => one(place, 'select').value).filter(Boolean);
    if (!order.length) trouble(form, 'missing', one(form, 'select'));
    else if (new Set(order).size < order.length) trouble(form, 'twice');
    else once(form, () => give('rank', { order }));
  });
  return form;
}

/** One measure for each item that was answered. @param {Room} room @param {Step} step @param {Give} give @returns {HTMLElement} */
function measure(room, step, give) {
  const id = step.name;
  const form = made('form-measure', { id }, { items: (step.options || []).map((each) => measureItem(step, each, id)) });
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const typed = read(form);
    if (!typed) return;
    const code = linkCode(typed.code);
    const values = Object.entries(typed).filter(([name]) => name.startsWith('item.')).map(([name, value]) => ({ item: name.slice(5), value: Number(value) }));
    const isOff = (/** @type {{value: number}} */ { value }) => !Number.isInteger(value) || value < setting(step, 'least') || value > setting(step, 'most');
    if (!code) trouble(form, 'bad-code', one(form, '[name=code]'));
    else if (!values.length || values.some(isOff)) trouble(form, 'missing');
    else once(form, () => give('measure', values.map((each) => ({ ...each, code, round: room.facts.round || 0 }))));
  });
  return form;
}

/** @param {Step} step @param {import('./room-take-state.js').Option} each @param {string} id */
function measureItem(step, { name, label }, id) {
  const [least, most] = [setting(step, 'least'), setting(step, 'most')];
  if (most - least > WIDEST_SCALE) return made('measure-typed', { id, name, label: said(label), least, most });
  const numbers = Array.from({ length: most - least + 1 }, (_, n) => made('radio', { name: 'item.' + name, value: least + n, label: least + n }));
  return made('measure-item', { label: said(label) }, { numbers });
}
