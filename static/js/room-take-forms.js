// @ts-check
/**
 * What is said in the open in a step, as forms: an agreement, an idea, a commitment. For a person the tablet was passed to
 * and for the facilitator who writes for the group. Which form goes with which type: collector/rooms/guide.py STEP_TYPES.
 *
 * @typedef {import('./room-take-state.js').Room} Room
 * @typedef {import('./room-take-state.js').Step} Step
 * @typedef {(what: string, payload: any, ref?: string) => Promise<void>} Give stores it; rejects when it could not
 */
import { made, one, said, when, word } from './room-take-draw.js';
import { setting, shownOf } from './room-take-state.js';

/** @type {Record<string, string[]>} type of a step -> forms of what is said in the open */
const FORMS = {
  question: ['answer'],
  statements: ['statement'],
  affinity: ['placement'],
  energy: ['commitment', 'resource', 'expectation', 'objection'],
  commitments: ['commitment', 'resource', 'expectation'],
  agreements: ['agreement'],
  iceberg: ['iceberg', 'move', 'link'],
  score: ['score'],
  selection: ['selection'],
  minutes: ['minute'],
};
/** @type {Record<string, string>} type of a step -> what each person gives in secret */
export const SECRET_OF = {
  statements: 'vote', dots: 'allocation', energy: 'allocation', rank: 'rank', triad: 'triad', dyad: 'dyad', measure: 'measure',
};
const SPOKEN = ['prompt', 'photo'];
const PASSED = ['question', 'score', 'iceberg', 'affinity']; // in the open, and everybody may write

/** @param {Step} step */
export const isKnown = (step) => step.type in FORMS || step.type in SECRET_OF || SPOKEN.includes(step.type);

/** @param {Step} step @returns {boolean} whether the tablet goes round with it */
export const isPassed = (step) => step.type in SECRET_OF || PASSED.includes(step.type);

/** @param {Step} step @returns {string[]} */
export const formsOf = (step) => FORMS[step.type] || [];

/**
 * The forms of a step, each folded but the first of a step that takes nothing else.
 * @param {Room} room @param {Step} step @param {Give} give @param {boolean} isFolded @returns {HTMLElement[]}
 */
export function openForms(room, step, give, isFolded) {
  return formsOf(step).filter((name) => hasChoices(room, step, name)).map((name, n) => {
    const more = made('more', { id: `${step.name}-${name}`, label: formName(name) }, { form: form(name, room, step, give) });
    /** @type {HTMLDetailsElement} */ (more).open = !isFolded && n === 0;
    return more;
  });
}

/** @param {string} name @returns {string} */
function formName(name) {
  const names = /** @type {HTMLTemplateElement} */ (document.getElementById('t-form-names')).content;
  return one(names, `[data-name="${name}"]`).textContent;
}

/** What there is nothing to choose for is not offered. @param {Room} room @param {Step} step @param {string} name */
function hasChoices(room, step, name) {
  if (name === 'move') return shownOf(room, 'iceberg', step.name).length > 0;
  if (name === 'link') return shownOf(room, 'iceberg', step.name).length > 1;
  if (['placement', 'selection', 'score'].includes(name)) return subjects(room, step).length > 0;
  return true;
}

/** The statements that a step works on: its own, those of the step it names, else all of the room. @param {Room} room @param {Step} step */
function subjects(room, step) {
  const own = shownOf(room, 'statement', setting(step, 'of'));
  return own.length ? own : shownOf(room, 'statement');
}

/** @param {string} value @param {string} label */
export const option = (value, label) => made('option', { value, label });

/** @param {import('./room-take-state.js').Item[]} items */
const pairs = (items) => [option('', word('unchosen')), ...items.map((item) => option(item.id, item.payload.text))];

/** @param {string} name @param {Room} room @param {Step} step @param {Give} give @returns {HTMLElement} */
export function form(name, room, step, give) {
  const isIceberg = name === 'move' || name === 'link';
  const items = pairs(isIceberg ? shownOf(room, 'iceberg', step.name) : subjects(room, step));
  const copy = () => items.map((item) => item.cloneNode(true));
  const positions = (step.options || []).map(({ name: value, label }) => option(value, said(label)));
  const groups = [...new Set(shownOf(room, 'placement', step.name).map(({ payload }) => payload.group).filter(Boolean))];
  const id = `${step.name}-${name}`;
  const drawn = made('form-' + name, { id, positions: positions.length }, {
    ref: copy(), to: copy(), target: copy(), groups: groups.map((group) => option(group, '')),
    position: [option('', word(name === 'objection' ? 'unchosen' : 'none')), ...positions],
    criteria: name === 'score' ? criteria(step, id) : [],
  });
  listen(drawn, step, give);
  return drawn;
}

/** @param {Step} step @param {string} id */
function criteria(step, id) {
  const [least, most] = [setting(step, 'least'), setting(step, 'most')];
  const numbers = Array.from({ length: most - least + 1 }, (_, n) => String(least + n));
  return (step.options || []).map(({ name, label, weight }) => made('criterion', { id, name, label: said(label), least, most, weight },
    { options: [option('', word('no-score')), ...numbers.map((number) => option(number, number))] }));
}

/** @param {HTMLElement} drawn @param {Step} step @param {Give} give */
function listen(drawn, step, give) {
  const what = drawn.dataset.what || '';
  const send = async (/** @type {any} */ payload) => {
    const { ref, ...rest } = payload;
    const button = one(drawn, 'button');
    button.disabled = true; // tapped twice is given once
    await give(what, rest, ref).catch(() => trouble(drawn, 'not-kept'));
    button.disabled = false;
  };
  drawn.addEventListener('submit', (event) => {
    event.preventDefault();
    const payload = read(drawn);
    if (payload) send(what === 'score' ? scored(payload) : payload);
  });
  when(drawn, '[data-conflict]', () => {
    const target = one(drawn, '[name=target]');
    if (target.value) send({ target: target.value, conflict: true });
    else trouble(drawn, 'missing', target);
  });
  if (what === 'score') for (const field of drawn.querySelectorAll('[name^="criteria."]')) field.setAttribute('data-must', '');
}

/** @param {any} payload @returns {any} */
function scored(payload) {
  /** @type {Record<string, number>} */
  const points = {};
  for (const [key, value] of Object.entries(payload)) if (key.startsWith('criteria.')) points[key.slice(9)] = Number(value);
  return { target: payload.target, criteria: points, ...(payload.reason ? { reason: payload.reason } : {}) };
}

/** What was typed, without what was left empty; null when something is missing, which is said. @param {HTMLElement} drawn @returns {any} */
export function read(drawn) {
  /** @type {Record<string, string>} */
  const found = {};
  for (const [name, value] of new FormData(/** @type {HTMLFormElement} */ (drawn))) {
    const text = String(value).replace(/\0/g, ' ').replace(/\r\n/g, '\n').trim();
    if (text) found[name] = text;
  }
  for (const field of drawn.querySelectorAll('[data-must]')) {
    if (!found[/** @type {HTMLInputElement} */ (field).name]) {
      trouble(drawn, 'missing', /** @type {HTMLElement} */ (field));
      return null;
    }
  }
  return found;
}

/** Says beside the form why it was not taken. @param {ParentNode} drawn @param {string} why @param {HTMLElement} [field] */
export function trouble(drawn, why, field) {
  const place = one(drawn, '.err');
  if (place) {
    place.textContent = word(why);
    place.hidden = false;
  }
  if (field) field.focus();
}
