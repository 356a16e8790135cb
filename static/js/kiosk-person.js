// @ts-check
/**
 * One person's turn: the survey's own page in a fresh frame of the same origin, watched from outside. Nothing of it is
 * changed; when it is over the frame is thrown away, and with it everything that was typed.
 *
 * @typedef {{ready: () => void, stir: () => void, slow: () => void, declined: () => void, saved: (id: string, code: string, lang: string) => void,
 *   lost: () => void}} Hears  stir: somebody touched something; slow: begins what takes long outside the page (a photo);
 *   declined: somebody said no to the notice;
 *   saved: the answer is kept, code: as the page shows it when the node took it; lost: the page could not be opened
 */
const STIRS = ['pointerdown', 'touchmove', 'keydown', 'input', 'wheel', 'timeupdate']; // the last: a sound is playing
const OPEN_SECONDS = 30;

/**
 * Puts the survey into `place`.
 * @param {HTMLElement} place @param {string} address @param {string} title @param {Hears} hears
 */
export function begin(place, address, title, hears) {
  const frame = document.createElement('iframe');
  frame.title = title;
  // it leads nowhere else: no new windows, no other page in place of ours, no downloads
  frame.setAttribute('sandbox', 'allow-same-origin allow-scripts allow-forms allow-modals');
  const late = setTimeout(hears.lost, OPEN_SECONDS * 1000);
  frame.addEventListener('load', () => {
    const page = survey(frame);
    if (page) attend(frame, page, { ...hears, ready: () => { clearTimeout(late); hears.ready(); } });
    else hears.lost();
  });
  // a fragment of its own: the survey's page begins a new answer, whatever drafts stand here
  frame.src = address + '#nueva';
  place.replaceChildren(frame);
  return {
    end() {
      clearTimeout(late);
      silence(frame);
      frame.remove();
    },
    /** One question back, as the browser's own button does. */
    back() {
      const page = survey(frame);
      const button = page && /** @type {HTMLElement | null} */ (page.querySelector('button[value=back]'));
      if (button && !button.hidden) button.click();
    },
    /** @returns {string} the language in which the survey stands now */
    language() {
      const page = survey(frame);
      return page ? page.documentElement.lang : '';
    },
    focus: () => frame.focus(),
  };
}

/** @param {HTMLIFrameElement} frame @returns {Document | null} the survey's page; null for anything else, as a browser's own */
function survey(frame) {
  const page = frame.contentDocument;
  return page && page.querySelector('#fill, .thanks') ? page : null;
}

/** @param {HTMLIFrameElement} frame @param {Document} page @param {Hears} hears */
function attend(frame, page, hears) {
  for (const name of STIRS) page.addEventListener(name, hears.stir, { capture: true, passive: true });
  page.addEventListener('click', (event) => pressed(event, hears), true);
  for (const name of ['auxclick', 'contextmenu']) page.addEventListener(name, (event) => event.preventDefault(), true);
  page.addEventListener('focusin', (event) => forgetful(/** @type {HTMLElement} */ (event.target)));
  // a new program is the facilitator's to take, between two people
  const offer = page.getElementById('update');
  if (offer) offer.remove();
  let isReady = false;
  const look = () => {
    if (!isReady && page.body.dataset.ready) hears.ready();
    isReady = isReady || !!page.body.dataset.ready;
    const thanks = /** @type {HTMLElement | null} */ (page.querySelector('.thanks[data-record], .thanks[data-kept]'));
    if (!thanks) return;
    watcher.disconnect();
    const code = thanks.dataset.kept ? thanks.querySelector('.code') : null;
    hears.saved(thanks.dataset.record || thanks.dataset.kept || '', (code && code.textContent) || '', page.documentElement.lang);
  };
  const watcher = new MutationObserver(look);
  watcher.observe(page.body, { childList: true, subtree: true, attributes: true, attributeFilter: ['data-ready'] });
  look();
}

/** No link leads out of the survey; a photo may take long. @param {MouseEvent} event @param {Hears} hears */
function pressed(event, hears) {
  const target = /** @type {Element} */ (event.target);
  const link = /** @type {HTMLAnchorElement | null} */ (target.closest('a[href]'));
  if (link && !(link.getAttribute('href') || '').startsWith('#')) {
    event.preventDefault();
    event.stopImmediatePropagation();
  }
  if (link && link.dataset.no !== undefined) hears.declined();
  if (target.closest('input[type=file]')) hears.slow();
}

/** Asks the browser and the keyboard not to offer what somebody typed before. @param {HTMLElement} field */
function forgetful(field) {
  if (!field.matches('input, textarea')) return;
  for (const [name, value] of [['autocomplete', 'off'], ['autocorrect', 'off'], ['spellcheck', 'false']]) field.setAttribute(name, value);
}

/** A page that goes keeps its draft: not this one. @param {HTMLIFrameElement} frame */
function silence(frame) {
  try {
    const view = frame.contentWindow;
    if (view) view.addEventListener('pagehide', (event) => event.stopImmediatePropagation(), true);
  } catch (error) {
    // the browser's own page of an error: it keeps nothing
  }
}
