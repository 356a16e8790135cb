// @ts-check
/**
 * A room as its contributions make it: the part of collector/rooms/room.py that a tablet without a node needs to run one.
 * Pure: whatever the order and however often a contribution is given, the room is the same.
 *
 * @typedef {{id: string, session: string, what: string, finished: string, by: string, count: number, payload: any,
 *   seat?: string, step?: string, ref?: string, ballot?: string, segments?: Record<string, string>, mode?: string}} Said
 * @typedef {Record<string, string>} Text language -> words
 * @typedef {{name: string, label: Text, weight?: number}} Option
 * @typedef {{type: string, name: string, label: Text, hint?: Text, options?: Option[], settings?: Record<string, any>}} Step
 * @typedef {{state: string, until: string, at: number}} Run state: hidden, open, locked or revealed; at: when that was said, ms
 * @typedef {Said & {state: 'shown' | 'hidden' | 'waiting'}} Item
 * @typedef {{session: string, by: string, facts: any, steps: Step[], segments: Record<string, {label: Text, values: Record<string, Text>}>,
 *   present: number, closing: {summary: string, isReadBack: boolean} | null,
 *   seats: {code: string, segments: Record<string, string>}[], consents: Record<string, Record<string, boolean>>,
 *   runs: Record<string, Run>, items: Item[], votes: Said[], done: Said | null, undone: {undo: Said, about: Said} | null,
 *   undoneNote: {undo: Said, about: Said} | null}} Room by: who opened it; votes: the newest of each ballot, in no order
 *   that tells anything; done: the last act that can be taken back; undone: the last taking back, and what it took
 */

export const FACILITATOR = ['session', 'seat', 'consent', 'step', 'moderate', 'undo', 'close', 'presentes', 'guide'];
export const SECRET = ['vote', 'allocation', 'rank', 'triad', 'dyad', 'measure'];
const TAKEN_BACK = [...FACILITATOR.filter((what) => what !== 'undo'), 'placement', 'link', 'minute', 'photo'];
const FEWEST = 5; // people of whom a result may be seen

/** @param {Said[]} said of one session, in any order @returns {Room} */
export function roomOf(said) {
  const ordered = inOrder(said);
  const gone = undoneIds(ordered);
  const standing = ordered.filter((each) => !gone.has(each.id));
  const told = latest(standing, 'session');
  const steps = told.steps || [];
  const items = itemsOf(ordered, standing, steps);
  return {
    session: ordered.length ? ordered[0].session : '',
    by: (ordered.find((each) => each.id === each.session) || { by: '' }).by,
    facts: told,
    steps,
    segments: segmentsInOrder(told.segments || {}),
    present: latest(standing, 'presentes').count || 0,
    closing: closingOf(standing),
    seats: seatsOf(standing),
    consents: consentsOf(standing),
    runs: runsOf(standing),
    items: items.filter((item) => !gone.has(item.id)),
    votes: newestVotes(ordered.filter((each) => SECRET.includes(each.what))),
    ...lastOf(ordered, standing),
  };
}

/** Each contribution once, in the order of the session: time, writer, the writer's counter, id. @param {Said[]} said */
function inOrder(said) {
  const once = [...new Map(said.map((each) => [each.id, each])).values()];
  const at = (/** @type {Said} */ each) => Date.parse(each.finished);
  return once.sort((a, b) => at(a) - at(b) || (a.by < b.by ? -1 : a.by > b.by ? 1 : a.count - b.count || (a.id < b.id ? -1 : 1)));
}

/** An undo holds when no undo of it holds. @param {Said[]} ordered @returns {Set<string>} */
function undoneIds(ordered) {
  const undos = ordered.filter((each) => each.what === 'undo');
  /** @type {(undo: Said, seen: string[]) => boolean} */
  const holds = (undo, seen) => !seen.includes(undo.id)
    && !undos.some((other) => other.ref === undo.id && holds(other, [...seen, undo.id]));
  return new Set(undos.filter((undo) => holds(undo, [])).map((undo) => undo.ref || ''));
}

/** The fields of a kind, each as it was said last. @param {Said[]} standing @param {string} what */
function latest(standing, what) {
  return Object.assign({}, ...standing.filter((each) => each.what === what).map((each) => each.payload));
}

/** @param {Said[]} standing */
function closingOf(standing) {
  if (!standing.some((each) => each.what === 'close')) return null;
  const told = latest(standing, 'close');
  return { summary: told.summary || '', isReadBack: !!told.read_back };
}

/** @param {Said[]} standing */
function seatsOf(standing) {
  /** @type {Map<string, Record<string, string>>} */
  const found = new Map();
  for (const { what, seat, payload } of standing) {
    if (seat) found.set(seat, { ...found.get(seat), ...(what === 'seat' ? payload.segments : {}) });
  }
  const seats = [...found].map(([code, segments]) => ({ code, segments, letters: code.replace(/\d*$/, '') }));
  const number = (/** @type {string} */ code) => Number((/\d*$/.exec(code) || ['0'])[0]);
  // P2 before P10
  return seats.sort((a, b) => (a.letters < b.letters ? -1 : a.letters > b.letters ? 1 : number(a.code) - number(b.code)))
    .map(({ code, segments }) => ({ code, segments }));
}

/** The answer to each purpose that counts, by seat; the group's stand under "". @param {Said[]} standing */
function consentsOf(standing) {
  /** @type {Record<string, Record<string, boolean>>} */
  const found = {};
  for (const each of standing.filter(({ what }) => what === 'consent')) {
    found[each.seat || ''] = { ...found[each.seat || ''], ...each.payload.purposes };
  }
  return found;
}

/** @param {Said[]} standing @returns {Record<string, Run>} */
function runsOf(standing) {
  const steps = standing.filter(({ what }) => what === 'step');
  return Object.fromEntries(steps.map(({ step, payload, finished }) => [step, { state: payload.state, until: payload.until || '', at: Date.parse(finished) }]));
}

/** @param {Said[]} ordered @param {Said[]} standing @param {Step[]} steps @returns {Item[]} */
function itemsOf(ordered, standing, steps) {
  const moderated = new Map(standing.filter(({ what }) => what === 'moderate').map(({ ref, payload }) => [ref, payload.state]));
  const waits = new Set(steps.filter((step) => setting(step, 'moderation') === 'before').map(({ name }) => name));
  const isSaid = (/** @type {Said} */ each) => ![...FACILITATOR, ...SECRET].includes(each.what);
  return ordered.filter(isSaid).map((each) => ({
    ...each,
    state: moderated.get(each.id) || (each.what === 'statement' && waits.has(each.step || '') ? 'waiting' : 'shown'),
  }));
}

/** The newest of a ballot counts, for each thing it speaks of; of a link code the newest of all. @param {Said[]} votes */
function newestVotes(votes) {
  /** @type {Map<string, Said>} */
  const found = new Map();
  for (const each of votes) {
    const { code, item, round } = each.payload;
    const key = each.what === 'measure' ? [each.what, each.step, code, item, round] : [each.what, each.step, each.ballot, each.ref];
    const known = found.get(key.join(' '));
    // they come in the order of the session, so that of two link codes the later one is the newer
    if (!known || each.what === 'measure' || each.count >= known.count) found.set(key.join(' '), each);
  }
  return [...found.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
}

/** @param {Said[]} ordered @param {Said[]} standing */
function lastOf(ordered, standing) {
  const byId = new Map(ordered.map((each) => [each.id, each]));
  const acts = standing.filter((each) => each.id !== each.session);
  const takenBack = (/** @type {string[]} */ kinds) => {
    const undo = acts.filter(({ what, ref }) => what === 'undo' && kinds.includes((byId.get(ref || '') || { what: '' }).what)).pop();
    const about = undo && byId.get(undo.ref || '');
    return undo && about ? { undo, about } : null;
  };
  const done = acts.filter(({ what }) => TAKEN_BACK.includes(what)).pop() || null;
  return { done, undone: takenBack(TAKEN_BACK), undoneNote: takenBack(['note']) };
}

// ---- what the pages ask of a room

/** @type {Record<string, any>} what holds where a guide says nothing, as collector/rooms/guide.py */
const OTHERWISE = { points: 10, minutes: 0, least: 0, most: 5, moderation: 'after' };

/** @param {Step} step @param {string} name @returns {any} */
export const setting = (step, name) => (step.settings || {})[name] ?? OTHERWISE[name] ?? (name === 'of' ? step.name : undefined);

/** @param {Room} room @param {string} name @returns {Run} */
export const runOf = (room, name) => room.runs[name] || { state: 'hidden', until: '', at: 0 };

/** @param {Room} room @returns {Step | null} the step that takes contributions now */
export const openStep = (room) => room.steps.find((step) => runOf(room, step.name).state === 'open') || null;

/** @param {Room} room @returns {Step | null} the step to go on with: the first that was never opened, none while one is open */
export const nextStep = (room) => (openStep(room) || room.closing ? null
  : room.steps.find((step) => runOf(room, step.name).state === 'hidden') || null);

/** What of a kind is shown, in order. @param {Room} room @param {string} what @param {string} [step] */
export const shownOf = (room, what, step) => room.items
  .filter((item) => item.what === what && item.state === 'shown' && (step === undefined || item.step === step));

/** @param {Room} room */
export const waitingOf = (room) => room.items.filter((item) => item.state === 'waiting');

/** @param {Room} room @param {string} seat @param {string} purpose */
export function allows(room, seat, purpose) {
  const own = (room.consents[seat] || {})[purpose];
  return own === undefined ? !!(room.consents[''] || {})[purpose] : own;
}

/** @param {Room} room @param {string} what @param {string} step @returns {number} people who gave a vote of a kind */
export const voters = (room, what, step) => new Set(room.votes.filter((vote) => vote.what === what && vote.step === step)
  .map((vote) => (what === 'measure' ? vote.payload.code : vote.ballot))).size;

/** @param {Room} room @param {string} step @returns {number} people who voted in a step, by the kind that most gave */
export const peopleIn = (room, step) => Math.max(...SECRET.map((what) => voters(room, what, step)));

/** How much of a result may be seen. @param {Room} room @param {string} what @param {string} step @returns {'blind' | 'few' | 'shown'} */
export const veilOf = (room, what, step) => (runOf(room, step).state !== 'revealed' ? 'blind'
  : voters(room, what, step) < FEWEST ? 'few' : 'shown');

/**
 * The statements of a step with their counts; null while nobody may see them, and of fewer than five people.
 * @param {Room} room @param {string} step
 */
export function statementCounts(room, step) {
  const isShown = veilOf(room, 'vote', step) === 'shown';
  return shownOf(room, 'statement', step).map(({ id, payload }) => {
    const votes = room.votes.filter((vote) => vote.what === 'vote' && vote.step === step && vote.ref === id);
    const of = (/** @type {string} */ choice) => votes.filter((vote) => vote.payload.choice === choice).length;
    const counts = { agree: of('agree'), disagree: of('disagree'), pass: of('pass'), n: votes.length };
    return { id, text: String(payload.text), counts: isShown && votes.length >= FEWEST ? counts : null };
  });
}

/**
 * The options of a step by their points, most first, equal ones in the order of the guide; null while nobody may see them.
 * @param {Room} room @param {Step} step
 */
export function pointCounts(room, step) {
  if (veilOf(room, 'allocation', step.name) !== 'shown') return null;
  const votes = room.votes.filter((vote) => vote.what === 'allocation' && vote.step === step.name);
  const rows = (step.options || []).map((option) => ({
    option, points: votes.reduce((sum, vote) => sum + (vote.payload.points[option.name] || 0), 0),
  }));
  const given = rows.reduce((sum, row) => sum + row.points, 0);
  return { n: votes.length, given, rows: rows.sort((a, b) => b.points - a.points) };
}

/**
 * A record sorts its keys; a guide's own order stands beside them.
 * @param {Record<string, any>} segments @returns {Record<string, any>}
 */
function segmentsInOrder(segments) {
  const sorted = Object.entries(segments).sort(([, a], [, b]) => (a.place || 0) - (b.place || 0));
  return Object.fromEntries(sorted.map(([name, { label, values, order }]) => {
    const told = (order || []).filter((/** @type {string} */ value) => value in values);
    const names = [...new Set([...told, ...Object.keys(values)])];
    return [name, { label, values: Object.fromEntries(names.map((value) => [value, values[value]])) }];
  }));
}
