// @ts-check
/** The result of a step, once it is revealed: counts and shares alone. The whole board is a node's to draw. */
import { made, said, show, word } from './room-take-draw.js';
import { SECRET_OF } from './room-take-forms.js';
import { roomNamed } from './room-take-log.js';
import { pointCounts, setting, shownOf, statementCounts, veilOf, voters } from './room-take-state.js';

/** @typedef {import('./room-take-state.js').Room} Room */
/** @typedef {import('./room-take-state.js').Step} Step */
const CHOICES = /** @type {const} */ (['agree', 'disagree', 'pass']);

/** @param {string} session @param {string} name of the step */
export async function result(session, name) {
  const room = await roomNamed(session);
  const step = room && room.steps.find((each) => each.name === name);
  if (!room || !step) {
    show(made('missing'));
    return;
  }
  const what = SECRET_OF[step.type];
  const veil = what ? veilOf(room, what, name) : 'listed';
  const isCounted = ['vote', 'allocation'].includes(what) && veil === 'shown';
  const rows = what === 'vote' ? statementRows(room, step) : what === 'allocation' ? pointRows(room, step) : toldRows(room, step);
  show(made('result', {
    session, title: room.facts.title, label: said(step.label), n: what ? voters(room, what, name) : 0,
    [veil]: true, listed: !what, only: what && veil === 'shown' && !isCounted,
  }, { rows }));
}

/** @param {Room} room @param {Step} step */
function statementRows(room, step) {
  if (veilOf(room, 'vote', step.name) !== 'shown') return [];
  return statementCounts(room, step.name).map(({ text, counts }) => made('counted', { text, shown: counts }, {
    bars: counts ? CHOICES.map((choice) => bar(word(choice), counts[choice], counts.n)) : [],
  }));
}

/** @param {Room} room @param {Step} step */
function pointRows(room, step) {
  const found = pointCounts(room, step);
  if (!found) return [];
  const total = found.n * setting(step, 'points');
  return [made('points-given', { given: found.given, total }), ...found.rows.map(({ option, points }) => bar(said(option.label), points, found.given))];
}

/** @param {string} label @param {number} count @param {number} of */
function bar(label, count, of) {
  const percent = of ? Math.round((100 * count) / of) : 0;
  return made('bar', { label, percent, count: of ? `${count} · ${percent} %` : '0' });
}

/** What was said in the open in a step, in order. @param {Room} room @param {Step} step */
function toldRows(room, step) {
  const what = ['statement', 'iceberg', 'commitment', 'resource', 'expectation', 'objection', 'agreement', 'selection', 'minute'];
  const items = what.flatMap((kind) => shownOf(room, kind, step.name));
  const words = (/** @type {any} */ payload) => [payload.actor, payload.text || payload.what || payload.reason, payload.who, payload.by_when].filter(Boolean).join(' · ');
  return items.length ? [made('told', {}, { rows: items.map(({ payload }) => made('line', { text: words(payload) })) })] : [];
}
