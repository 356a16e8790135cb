// @ts-check
/** Starts a page: sends what waits, and loads what the page asks for. */
import { drain } from './outbox.js';

const fill = /** @type {HTMLFormElement | null} */ (document.getElementById('fill'));
if (fill) import('./fill.js').then((module) => module.start());
if (document.querySelector('[data-outbox]')) import('./mine.js').then((module) => module.start());

const kick = () => { if (!document.hidden) drain(); };
addEventListener('online', kick);
// a post of htmx that did not get through, or that a Wi-Fi portal answered: say that nothing is saved
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
addEventListener('pageshow', kick);
addEventListener('outbox:changed', kick);
document.addEventListener('visibilitychange', kick);
kick();

if (isSecureContext && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/sw.js').then((registration) => {
    if (!fill || (navigator.serviceWorker.controller && !fill.dataset.keep)) return;
    // the worker did not see this first visit, nor pictures of later pages: hand it what the page is made of
    navigator.serviceWorker.ready.then(() => registration.active && registration.active.postMessage(
      { keep: [fill.action + '/form.json', ...(fill.dataset.keep || fill.action).split(' ')] }));
  });
}
