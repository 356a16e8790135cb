// @ts-check
/**
 * A session that this tablet runs by itself: which page of it stands in the address, after the #. Nothing is asked of a
 * node but the guides; every page is drawn from the contributions on this tablet (room-take-log.js), so a reload or a
 * killed browser comes back to where it was.
 *
 *   #  the sessions     #nueva, #nueva/GUIDE  a new one     #SESSION  its steps     #SESSION/notas, /cerrar, /pasar,
 *   /quitar, /puesto/P1, /resultado/STEP
 */
import { made, show } from './room-take-draw.js';
import { chooseGuide, list, prepare } from './room-take-list.js';
import { closing, notes } from './room-take-notes.js';
import { between, listen, passedSession, start } from './room-take-pass.js';
import { seatPage } from './room-take-people.js';
import { result } from './room-take-results.js';
import { run } from './room-take-run.js';
import { remove } from './room-take-send.js';

/** @param {string} to */
const go = (to) => {
  if (location.hash === '#' + to) route();
  else location.hash = to;
};

/** @type {Record<string, (session: string, name: string) => Promise<void>>} */
const PAGES = {
  '': (session) => run(session),
  notas: (session) => notes(session),
  cerrar: (session) => closing(session, () => go(session + '/cerrar')),
  pasar: (session) => start(session),
  quitar: (session) => remove(session, () => go('')),
  puesto: (session, name) => seatPage(session, name, () => go(session)),
  resultado: (session, name) => result(session, name),
};

/** Draws what the address names; while the tablet is passed on, the page between two people whatever it says. */
async function route() {
  const passed = await passedSession();
  if (passed) {
    await between(passed, 'dropped');
    return;
  }
  const [first, page = '', name = ''] = location.hash.slice(1).split('/').map(decodeURIComponent);
  if (!first) await list();
  else if (first === 'nueva') await (page ? prepare(page, go) : chooseGuide());
  else await (PAGES[page] || PAGES[''])(first, name);
}

/** @returns {Promise<void>} */
const draw = () => route().catch((error) => {
  show(made('blocked'));
  throw error;
});

listen();
addEventListener('hashchange', draw);
draw().finally(() => { document.body.dataset.ready = '1'; });
