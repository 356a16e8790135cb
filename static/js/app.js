// @ts-check
/** Starts a page: sends what waits, and loads what the page asks for. Imports nothing at once: on 2G it is there first. */

// inside the kiosk page (docs/kiosk.md) the page around it sends: this one may be gone at any moment
const isFramed = top !== self;
try {
  // a tablet that is handed round shows nothing else
  const kiosk = localStorage.getItem('collector-kiosk');
  if (kiosk && !isFramed && !location.pathname.startsWith('/k/') && location.pathname !== kiosk) location.replace(kiosk);
} catch (error) {
  // a browser that keeps nothing is in no such mode
}

const outbox = import('./outbox.js');
const PATIENCE = 10000;
const fill = /** @type {HTMLFormElement | null} */ (document.getElementById('fill'));
const started = fill ? import('./fill.js').then((module) => module.start()) : Promise.resolve();
if (fill) hold();
if (document.querySelector('[data-outbox]')) import('./mine.js').then((module) => module.start());
if (document.querySelector('[data-drafts]')) import('./begun.js').then((module) => module.start());

/** Whoever presses Seguir before the survey's scripts are there waits for them; posting the page would cost more. */
function hold() {
  /** @type {HTMLElement | null} */
  let pressed = null;
  const wait = (/** @type {SubmitEvent} */ event) => {
    event.preventDefault();
    if (!pressed) setTimeout(goOn, PATIENCE); // they do not come: the node draws the next page
    pressed = event.submitter;
  };
  const goOn = () => {
    document.removeEventListener('submit', wait, true);
    if (pressed) pressed.click();
    pressed = null;
  };
  document.addEventListener('submit', wait, true);
  started.then(goOn, goOn);
}

const kick = () => { if (!document.hidden && !isFramed) outbox.then(({ drain }) => drain()); };
addEventListener('online', kick);
addEventListener('pageshow', kick);
addEventListener('outbox:changed', kick);
document.addEventListener('visibilitychange', kick);
kick();

// last: what it fetches must not stand in the way of the questions
if (isSecureContext && 'serviceWorker' in navigator) {
  started.then(() => import('./worker.js')).then((module) => module.start(fill));
}
