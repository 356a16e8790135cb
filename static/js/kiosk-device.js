// @ts-check
/** What kiosk mode asks of the device: the screen stays on, and the survey is here when the signal is gone. */

const SETTLE = 2000; // what a survey loads after its first question: the receipt, the code
const MOST_AWAKE = 900000; // a tablet forgotten on a table goes dark after a quarter of an hour
/** @type {any} */ let lock = null;
let isAsking = false;
let isWanted = false;
let wantedAt = 0;

/** Keeps the screen on, where browsers can. @param {boolean} wanted */
export function stayAwake(wanted) {
  isWanted = wanted;
  wantedAt = Date.now();
  if (!wanted && lock) lock.release().catch(() => 0);
  if (wanted) askLock();
}

async function askLock() {
  if (lock || isAsking || !navigator.wakeLock || document.hidden) return;
  isAsking = true;
  lock = await navigator.wakeLock.request('screen').catch(() => null);
  isAsking = false;
  if (!lock) return;
  lock.addEventListener('release', () => { lock = null; });
  if (!isWanted) lock.release().catch(() => 0);
}

/** @param {() => void} look called when the page comes back from the dark */
export function whenDark(look) {
  document.addEventListener('visibilitychange', () => {
    if (document.hidden) return;
    look();
    if (isWanted) askLock();
  });
  setInterval(() => { if (lock && Date.now() - wantedAt > MOST_AWAKE) lock.release().catch(() => 0); }, 30000);
}

/**
 * Opens the survey once, unseen, so that it opens later without a signal, and calls `done`. Browsers keep a page in a
 * frame apart from the same page by itself: reading its address would not do.
 * @param {string} survey @param {() => void} done
 */
export async function keepHere(survey, done) {
  tellWorker(survey);
  // the survey asks which version is the newest, and may have been told some minutes ago: before this one
  await fetch(survey.replace(/[^/]*$/, 'current'), { cache: 'reload' }).catch(() => 0);
  const frame = document.createElement('iframe');
  frame.hidden = true;
  frame.src = survey + '#nueva';
  frame.addEventListener('load', () => ready(frame, 20).then(async (isReady) => {
    if (isReady) await new Promise((resolve) => setTimeout(resolve, SETTLE));
    frame.remove();
    tellWorker(survey);
    await keepOutbox();
    if (isReady) done();
  }));
  document.body.append(frame);
}

/** Her outbox too: she may want to see it when she has the tablet back, still without a signal. */
async function keepOutbox() {
  const page = await fetch('/mis-respuestas').then((answer) => answer.text()).catch(() => '');
  await Promise.all((page.match(/\/static\/[^"]+/g) || []).map((path) => fetch(path).catch(() => 0)));
  await Promise.all([import('./mine.js'), import('./health.js')]).catch(() => 0);
}

/** @param {HTMLIFrameElement} frame @param {number} seconds @returns {Promise<boolean>} */
async function ready(frame, seconds) {
  for (let n = 0; n < seconds * 4; n++) {
    const page = frame.contentDocument;
    if (page && page.body && page.body.dataset.ready) return true;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  return false;
}

/** Hands the service worker, where there is one, what this page and the survey are made of. @param {string} survey '' for this page */
export async function tellWorker(survey) {
  if (!isSecureContext || !('serviceWorker' in navigator)) return;
  const { active } = await navigator.serviceWorker.ready;
  const parts = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname)
    .filter((path) => path.startsWith('/static/'));
  const pages = survey ? [survey, survey + '/form.json'] : [];
  if (active) active.postMessage({ mine: true, keep: [location.pathname, ...pages, ...new Set(parts)] });
}
