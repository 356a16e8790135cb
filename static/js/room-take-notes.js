// @ts-check
/** The note pad of a session, and its end: the minutes, read back to the group. */
import { clock, made, one, redraw, said, show, when } from './room-take-draw.js';
import { option, trouble } from './room-take-forms.js';
import { roomNamed, say } from './room-take-log.js';
import { groupsOf } from './room-take-people.js';
import { allows, openStep, shownOf } from './room-take-state.js';

/** @typedef {import('./room-take-state.js').Room} Room */
/** @typedef {import('./room-take-state.js').Item} Item */
const LAST_NOTES = 12;
const MOST_THEMES = 16;
/** Two words of a theme that differ in accents and capitals alone are one. @param {string} text */
const folded = (text) => text.normalize('NFD').replace(/\p{M}/gu, '').toLowerCase().trim();

/** @param {string} session */
export async function notes(session) {
  let room = await roomNamed(session);
  if (!room) {
    show(made('missing'));
    return;
  }
  const page = pad(room);
  const place = one(page, '[data-live]');
  const draw = (isSaved = false) => redraw(place, [noteList(/** @type {Room} */ (room), isSaved, undo)]);
  const undo = (/** @type {string} */ ref) => say(/** @type {Room} */ (room), { what: 'undo', ref })
    .then((now) => { room = now; draw(); }).catch(() => trouble(page, 'not-kept'));
  draw();
  show(page);
  when(page, 'form', async (form) => {
    const text = one(form, '#text').value.replace(/\r\n/g, '\n').trim();
    if (!text) {
      trouble(form, 'missing', one(form, '#text'));
      return;
    }
    one(form, '.err').hidden = true;
    try {
      room = await say(/** @type {Room} */ (room), noteIn(/** @type {Room} */ (room), form, text));
    } catch (error) {
      trouble(form, 'not-kept');
      return;
    }
    empty(form, /** @type {Room} */ (room));
    draw(true);
  });
}

/** @param {Room} room @returns {HTMLElement} */
function pad(room) {
  const now = openStep(room);
  const steps = [made('no-step'), ...room.steps.map(({ name, label }, n) => option(name, `${n + 1}. ${said(label)}`))];
  const page = made('notes', { session: room.session, title: room.facts.title, closed: room.closing }, {
    seats: [...room.seats.map(({ code, segments }) => made('note-seat', { code, groups: groupsOf(room, segments) })), made('note-group')],
    steps, themes: themeOptions(room),
  });
  one(page, '#step').value = now ? now.name : '';
  return page;
}

/** The themes of the room's notes, the most used first. @param {Room} room @returns {string[]} */
function themesOf(room) {
  /** @type {Map<string, number>} */
  const times = new Map();
  for (const { payload: { theme } } of shownOf(room, 'note')) if (theme) times.set(theme, (times.get(theme) || 0) + 1);
  return [...times.keys()].sort((a, b) => (times.get(b) || 0) - (times.get(a) || 0)).slice(0, MOST_THEMES);
}

/** @param {Room} room */
const themeOptions = (room) => themesOf(room).map((theme) => option(theme, ''));

/** @param {Room} room @param {ParentNode} form @param {string} text @returns {import('./room-take-log.js').Thing} */
function noteIn(room, form, text) {
  const typed = one(form, '#theme').value.replace(/\s+/g, ' ').trim();
  const theme = themesOf(room).find((each) => folded(each) === folded(typed)) || typed;
  const payload = {
    text, form: one(form, '[name=manner]:checked').value,
    ...(theme ? { theme } : {}), ...(one(form, '[name=quote]').checked ? { quote: true } : {}),
  };
  return { what: 'note', payload, seat: one(form, '[name=seat]:checked').value, step: one(form, '#step').value };
}

/** Ready for the next note: who speaks, the step and the manner stay chosen. @param {ParentNode} form @param {Room} room */
function empty(form, room) {
  for (const selector of ['#text', '#theme']) one(form, selector).value = '';
  one(form, '[name=quote]').checked = false;
  one(form, '#themes').replaceChildren(...themeOptions(room));
  one(form, '#text').focus();
}

/** @param {Room} room @param {boolean} isSaved @param {(ref: string) => void} undo @returns {HTMLElement} */
function noteList(room, isSaved, undo) {
  const found = shownOf(room, 'note');
  const spoke = room.seats.map(({ code }) => ({ code, n: found.filter((note) => note.seat === code).length }));
  const silent = found.length ? spoke.filter(({ n }) => !n).map(({ code }) => code).join(', ') : '';
  const taken = room.undoneNote;
  const drawn = made('note-list', { saved: isSaved, n: found.length, silent, seats: spoke.length, taken: taken && taken.about.payload.text.slice(0, 120) }, {
    rows: found.map((note, n) => noteRow(room, note, n + 1, undo)).reverse().slice(0, LAST_NOTES),
    balance: spoke.map((each) => made('spoke', each)),
  });
  when(drawn, '#put-back', () => taken && undo(taken.undo.id));
  return drawn;
}

/** @param {Room} room @param {Item} note @param {number} n @param {((ref: string) => void) | null} undo @returns {HTMLElement} */
function noteRow(room, note, n, undo) {
  const { text, theme, quote, form } = note.payload;
  const mayQuote = quote && form === 'verbatim' && allows(room, note.seat || '', 'quote');
  const row = made('note', {
    who: note.seat || one(made('note-group'), 'b').textContent, clock: clock(note.finished), text: form === 'verbatim' ? `«${text}»` : text,
    theme, quotable: mayQuote, unquotable: quote && !mayQuote, n, acts: !!undo,
  });
  if (undo) when(row, 'button', () => undo(note.id));
  return row;
}

/** @param {string} session @param {() => void} done */
export async function closing(session, done) {
  const room = await roomNamed(session);
  if (!room) {
    show(made('missing'));
    return;
  }
  const page = closingPage(room);
  show(page);
  when(page, 'form', async (form) => {
    const summary = one(form, '#summary').value.replace(/\r\n/g, '\n').trim();
    const payload = { summary, read_back: one(form, '[name=read_back]').checked };
    await say(room, { what: 'close', payload }).then(done, () => trouble(form, 'not-kept'));
  });
}

/** @param {Room} room @returns {HTMLElement} */
function closingPage(room) {
  const told = (/** @type {string} */ what, /** @type {(payload: any) => string} */ words) => shownOf(room, what)
    .map(({ payload }) => made('line', { text: [words(payload), payload.by_when].filter(Boolean).join(' · ') }));
  const parts = {
    agreements: told('agreement', ({ what, who }) => `${what} · ${who}`),
    commitments: told('commitment', ({ actor, text }) => `${actor}: ${text}`),
    minutes: told('minute', ({ text }) => text),
    notes: shownOf(room, 'note').slice(-60).map((note, n) => noteRow(room, note, n + 1, null)),
  };
  const { closing: end } = room;
  const page = made('close', {
    session: room.session, title: room.facts.title, closed: end, read: end && end.isReadBack, unread: end && !end.isReadBack,
    summary: end ? end.summary : '', n: parts.notes.length, seats: room.seats.length, present: room.present || '–',
    agreements: parts.agreements.length, commitments: parts.commitments.length, minutes: parts.minutes.length,
  }, parts);
  one(page, '[name=read_back]').checked = !!end && end.isReadBack;
  return page;
}
