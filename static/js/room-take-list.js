// @ts-check
/** The sessions of this tablet, and preparing one from a guide. */
import { isoLocal, uuid7 } from './outbox.js';
import { token } from './room-records.js';
import { made, one, said, show, when, word } from './room-take-draw.js';
import { keep, counts, nextCount, rooms } from './room-take-log.js';
import { guides, isKept } from './room-take-keep.js';
import { trouble } from './room-take-forms.js';

/** @typedef {import('./room-take-keep.js').Guide} Guide */
const MOST_SEATS = 60;

/** Shows the sessions. */
export async function list() {
  const [found, countsOf] = [await rooms(), await counts()];
  const rows = found.map((room) => {
    const { all, sent, central } = countsOf(room.session);
    return made('row', {
      session: room.session, title: room.facts.title || word('untitled'), about: aboutRoom(room),
      saved: all, sent, central, closed: room.closing,
    });
  });
  const page = made('list', { rows: rows.length, next: ' next' }, { rows, ready: made('ready', { [await isKept('known')]: true }) });
  show(page);
  const kept = await isKept('now');
  one(page, '[data-part=ready]').replaceChildren(made('ready', { [kept]: true }));
}

/** @param {import('./room-take-state.js').Room} room @returns {string} where and when */
export const aboutRoom = (room) => [room.facts.place, room.facts.date, room.facts.round && word('round', { n: room.facts.round })]
  .filter(Boolean).join(' · ');

/** Asks which guide. */
export async function chooseGuide() {
  const found = await guides();
  const rows = found.map((guide) => made('guide', { key: guide.key, title: said(guide.title), n: guide.steps.length }));
  show(made('guides', { rows: rows.length }, { rows }));
}

/** Asks for what the session needs. @param {string} key of the guide @param {(session: string) => void} done */
export async function prepare(key, done) {
  const guide = (await guides()).find((each) => each.key === key);
  if (!guide) {
    await chooseGuide();
    return;
  }
  const segments = Object.entries(guide.segments).map(([value, { label }]) => made('tick', { name: 'segment', value, label: said(label) }));
  const page = made('new', { title: said(guide.title), date: isoLocal(new Date()).slice(0, 10), segments: segments.length }, { segments });
  page.querySelectorAll('[name=segment]').forEach((tick) => { /** @type {HTMLInputElement} */ (tick).checked = true; });
  show(page);
  when(page, 'form', async (form) => {
    const button = one(form, 'button');
    button.disabled = true; // tapped twice is one session
    await opened(guide, new FormData(form)).then(done, () => {
      trouble(form, 'not-kept');
      button.disabled = false;
    });
  });
}

/** Opens a session with its seats, all at once. @param {Guide} guide @param {FormData} typed @returns {Promise<string>} */
async function opened(guide, typed) {
  const [session, by] = [uuid7(), token()];
  // a tablet that holds a whole meeting asks not to be tidied up by the browser
  if (navigator.storage && navigator.storage.persist) navigator.storage.persist();
  const payload = { ...factsIn(guide, typed), guide: guide.name, guide_version: guide.version, steps: guide.steps };
  const wanted = typed.getAll('segment').map(String);
  const segments = Object.fromEntries(Object.entries(guide.segments).filter(([name]) => wanted.includes(name)));
  const seats = Array.from({ length: seatsIn(typed) }, (_, n) => ({ what: 'seat', seat: `P${n + 1}` }));
  const things = [{ id: session, what: 'session', payload: { ...payload, segments } }, ...seats];
  await keep(session, payload.title, things.map((thing) => ({ by, count: nextCount(), ...thing })));
  return session;
}

/** @param {Guide} guide @param {FormData} typed @returns {any} */
function factsIn(guide, typed) {
  const text = (/** @type {string} */ name) => String(typed.get(name) || '').replace(/\s+/g, ' ').trim().slice(0, 200);
  const district = text('district');
  const chosen = one(document, `#district option[value="${district}"]`);
  /** @type {Record<string, any>} */
  const facts = {
    title: text('title') || said(guide.title), place: text('place') || (district && chosen ? chosen.textContent : ''),
    district, date: text('date'), convened_by: text('convened_by'),
  };
  if (typed.get('round')) facts.round = Number(typed.get('round'));
  return Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== ''));
}

/** @param {FormData} typed @returns {number} how many seats: none to sixty */
function seatsIn(typed) {
  const count = /^\d{1,4}$/.test(String(typed.get('seats')).trim()) ? Number(typed.get('seats')) : 8;
  return Math.min(count, MOST_SEATS);
}
