// @ts-check
/** What this page needs without a signal: itself, its scripts and the guides, in the hands of the service worker. */

/**
 * @typedef {{key: string, name: string, version: string, title: Record<string, string>, steps: import('./room-take-state.js').Step[],
 *   segments: Record<string, {label: any, values: Record<string, any>}>}} Guide
 * @typedef {'working' | 'yes' | 'failed' | 'insecure'} Kept
 */
const PAGE = '/app/sala';
const GUIDES = '/app/guias.json';
const TRIES = 20;
const PAUSE = 500;

/** @returns {Promise<Guide[]>} the guides of the node, or those kept here; none where there are neither */
export async function guides() {
  const answer = await fetch(GUIDES).catch(() => null);
  const isOurs = answer && answer.ok && answer.headers.get('X-Collector') === '1';
  return isOurs ? (await answer.json()).guides : [];
}

/** Whether the page opens without a signal. @param {'known' | 'now'} when known: as it is; now: keeps it first @returns {Promise<Kept>} */
export async function isKept(when) {
  if (!isSecureContext || !('serviceWorker' in navigator) || !self.caches) return 'insecure';
  if (await allIsHere()) return 'yes';
  if (when === 'known') return 'working';
  const { active } = await navigator.serviceWorker.ready;
  for (let tried = 0; tried < TRIES; tried += 1) {
    if (active && tried % 5 === 0) active.postMessage({ mine: true, keep: needed() });
    await new Promise((resolve) => setTimeout(resolve, PAUSE));
    if (await allIsHere()) return 'yes';
  }
  return 'failed';
}

/** @returns {string[]} the page, the guides, and every file that the page names or has loaded */
function needed() {
  const named = [...document.querySelectorAll('link[href^="/static/"], script[src^="/static/"]')]
    .map((part) => part.getAttribute('href') || part.getAttribute('src') || '');
  const loaded = performance.getEntriesByType('resource').map(({ name }) => new URL(name).pathname);
  return [PAGE, GUIDES, ...new Set([...named, ...loaded.filter((path) => path.startsWith('/static/'))])];
}

/** @returns {Promise<boolean>} */
const allIsHere = async () => (await Promise.all(needed().map((path) => caches.match(path)))).every(Boolean);
