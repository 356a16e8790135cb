// @ts-check
/**
 * Where this browser's store takes nothing (blocked, private, full): htmx posts the page to the node, and the page stays
 * when that fails. Loaded only then; 13 kB that nobody else pays for.
 */

/** @type {Promise<void> | undefined} */
let loading;

/** Brings htmx; rejects when the node cannot be reached. @returns {Promise<void>} */
export function load() {
  loading = loading || new Promise((resolve, reject) => {
    const script = document.createElement('script');
    script.src = new URL('../vendor/htmx.min.js', import.meta.url).href;
    script.onload = () => setTimeout(resolve); // htmx takes over the page in a turn of its own
    script.onerror = () => {
      loading = undefined;
      script.remove();
      reject(new Error('no htmx'));
    };
    document.head.append(script);
  });
  return loading;
}

// a post that did not get through, or that a Wi-Fi portal answered: say that nothing is saved
for (const name of ['htmx:error', 'htmx:before:response']) {
  addEventListener(name, (event) => {
    const { ctx } = /** @type {any} */ (event).detail || {};
    if (ctx && ctx.response && ctx.response.headers.get('X-Collector')) return;
    event.preventDefault();
    const banner = document.getElementById('unsaved');
    if (!banner) return;
    banner.hidden = false;
    banner.scrollIntoView();
  });
}
