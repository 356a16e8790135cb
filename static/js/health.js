// @ts-check
/** How safe answers are in this browser, in plain words: the sentences stand in the page, this shows those that are true. */

const LITTLE = 50e6; // room for some photos
const SMALL_HEAP = 2; // a private window of Chromium gets less room than twice the memory of its scripts

/** @param {HTMLElement} place */
export async function start(place) {
  const button = place.querySelector('[data-persist]');
  if (button) button.addEventListener('click', async () => {
    await navigator.storage.persist().catch(() => false);
    await tell(place, true);
  });
  await tell(place, false);
}

/** @param {HTMLElement} place @param {boolean} hasAsked */
async function tell(place, hasAsked) {
  const storage = navigator.storage || {};
  const isKept = storage.persisted ? await storage.persisted().catch(() => null) : null;
  /** @type {StorageEstimate} */
  const { usage = 0, quota } = storage.estimate ? await storage.estimate().catch(() => ({})) : {};
  const isPrivate = await looksPrivate(quota);
  /** @type {Record<string, boolean>} */
  const facts = {
    kept: isKept === true,
    loose: isKept === false,
    unknown: isKept === null,
    refused: isKept === false && hasAsked,
    room: quota !== undefined,
    little: quota !== undefined && quota - usage < LITTLE,
    private: isPrivate,
    normal: !isPrivate,
    week: isWebKit() && !matchMedia('(display-mode: standalone)').matches,
    http: !isSecureContext,
  };
  for (const part of /** @type {NodeListOf<HTMLElement>} */ (place.querySelectorAll('[data-if]'))) {
    part.hidden = !facts[part.dataset.if || ''];
    for (const hole of /** @type {NodeListOf<HTMLElement>} */ (part.querySelectorAll('[data-mb]'))) {
      const bytes = hole.dataset.mb === 'used' ? usage : (quota || 0) - usage;
      hole.textContent = (bytes / 1e6).toLocaleString(document.documentElement.lang, { maximumFractionDigits: bytes < 1e7 ? 1 : 0 });
    }
  }
  place.hidden = false;
}

/** Browsers do not say it, the newest Chromium gives no sign at all: what is not known is asked of the person. @param {number | undefined} quota @returns {Promise<boolean>} */
async function looksPrivate(quota) {
  const { memory } = /** @type {any} */ (performance);
  if (memory && quota !== undefined) return quota < memory.jsHeapSizeLimit * SMALL_HEAP;
  if (!navigator.storage || !navigator.storage.getDirectory) return false;
  // Firefox and Safari keep no files of their own in a private window
  return navigator.storage.getDirectory().then(() => false, () => true);
}

/** Safari, and every browser of an iPhone: they forget a site that nobody opens for a week. @returns {boolean} */
const isWebKit = () => /AppleWebKit/.test(navigator.userAgent) && !/Chrom|Android/.test(navigator.userAgent);
