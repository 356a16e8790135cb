// @ts-check
/** Who is there: seats with their groups, and what each seat and the group agreed to. */
import { made, one, said, show, when, word } from './room-take-draw.js';
import { option, trouble } from './room-take-forms.js';
import { roomNamed, say } from './room-take-log.js';
import { allows } from './room-take-state.js';

/**
 * @typedef {import('./room-take-state.js').Room} Room
 * @typedef {import('./room-take-log.js').Thing} Thing
 */
const NOTICE_VERSION = 'sala-1'; // collector/routes/rooms_common.py

/** @param {Room} room @param {Record<string, string>} segments @returns {string} the groups of a seat, in words */
export const groupsOf = (room, segments) => Object.entries(segments)
  .map(([name, value]) => said(((room.segments[name] || {}).values || {})[value]) || value).join(' · ');

/** @param {Room} room @returns {HTMLElement[]} */
export const seatRows = (room) => room.seats.map(({ code, segments }) => made('seat', {
  session: room.session, code, groups: groupsOf(room, segments), agreed: allows(room, code, 'participate'),
}));

/** The ticks of what a seat, or the group (""), agrees to. @param {Room} room @param {string} seat @returns {HTMLElement} */
export function consentForm(room, seat) {
  const ticks = made('purposes');
  for (const tick of ticks.querySelectorAll('input')) tick.checked = !!(room.consents[seat] || {})[tick.name];
  return ticks;
}

/**
 * What a seat, or the group, agreed to now, where it differs from what is kept.
 * @param {Room} room @param {string} seat @param {ParentNode} form @returns {Thing | null}
 */
export function keptConsent(room, seat, form) {
  const ticks = /** @type {HTMLInputElement[]} */ (Array.from(form.querySelectorAll('[type=checkbox]')));
  const purposes = Object.fromEntries(ticks.map((tick) => [tick.name, tick.checked]));
  const known = room.consents[seat];
  if (!known && !ticks.some((tick) => tick.checked)) return null;
  if (known && ticks.every((tick) => !!known[tick.name] === tick.checked)) return null;
  const payload = { purposes, how: 'oral', notice_version: NOTICE_VERSION, ...(seat ? {} : { group: true }) };
  return { what: 'consent', payload, seat };
}

/** @param {string} session @param {string} code @param {() => void} done */
export async function seatPage(session, code, done) {
  const room = await roomNamed(session);
  const seat = room && room.seats.find((each) => each.code === code);
  if (!room || !seat) {
    show(made('missing'));
    return;
  }
  const segments = Object.entries(room.segments).map(([name, { label, values }]) => segmentField(name, label, values, seat.segments[name]));
  const page = made('seat-page', { session, title: room.facts.title, seat: code, segments: segments.length },
    { segments, purposes: consentForm(room, code) });
  show(page);
  when(page, 'form', async (form) => {
    const things = [keptSegments(room, seat, form), keptConsent(room, code, form)].filter((thing) => thing !== null);
    await (things.length ? say(room, .../** @type {Thing[]} */ (things)) : Promise.resolve()).then(done, () => trouble(form, 'not-kept'));
  });
}

/** @param {string} name @param {any} label @param {Record<string, any>} values @param {string | undefined} value */
function segmentField(name, label, values, value) {
  const options = [option('', word('not-said')), ...Object.entries(values).map(([key, text]) => option(key, said(text)))];
  const field = made('segment', { name, label: said(label) }, { options });
  one(field, 'select').value = value || '';
  return field;
}

/** @param {Room} room @param {{code: string, segments: Record<string, string>}} seat @param {ParentNode} form @returns {Thing | null} */
function keptSegments(room, seat, form) {
  const chosen = Object.keys(room.segments).map((name) => [name, one(form, `[name="segment-${name}"]`).value]).filter(([, value]) => value);
  const segments = Object.fromEntries(chosen);
  const isSame = JSON.stringify(segments) === JSON.stringify(seat.segments);
  return isSame ? null : { what: 'seat', seat: seat.code, payload: { segments } };
}
