// What a tablet makes of contributions: reads a list of sessions as JSON, writes what the test compares.
import { readFileSync } from 'node:fs';
import { allows, pointCounts, roomOf, runOf, statementCounts, veilOf, voters } from '../../static/js/room-take-state.js';
import { linkCode } from '../../static/js/room-take-codes.js';

const { sessions, codes } = JSON.parse(readFileSync(0, 'utf8'));
const KINDS = [['vote', 's'], ['allocation', 'd'], ['rank', 'r'], ['triad', 't'], ['dyad', 'y'], ['measure', 'm']];
const drawn = sessions.map((said) => {
  const room = roomOf(said);
  const dots = room.steps.find(({ name }) => name === 'd');
  return {
    title: room.facts.title,
    seats: room.seats.map(({ code, segments }) => [code, segments]),
    runs: Object.fromEntries(room.steps.map(({ name }) => [name, runOf(room, name).state])),
    items: room.items.map(({ id, state }) => [id, state]),
    voters: Object.fromEntries(KINDS.map(([what, step]) => [what, voters(room, what, step)])),
    veils: Object.fromEntries(KINDS.map(([what, step]) => [what, veilOf(room, what, step)])),
    statements: statementCounts(room, 's').map(({ id, counts }) => [id, counts]),
    points: dots ? pointCounts(room, dots) : null,
    last: [room.done && room.done.id, room.undone && [room.undone.undo.id, room.undone.about.id]],
    quotes: room.seats.filter(({ code }) => allows(room, code, 'quote')).map(({ code }) => code),
    closing: room.closing,
  };
});
process.stdout.write(JSON.stringify({ drawn, codes: codes.map(linkCode) }));
