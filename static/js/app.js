// @ts-check
/** Starts a page: sends what waits, and loads what the page asks for. */
import { drain } from './outbox.js';

const keep = /** @type {HTMLElement | null} */ (document.querySelector('[data-keep]'));
if (document.getElementById('fill')) import('./fill.js').then((module) => module.start());
if (document.querySelector('[data-outbox]')) import('./mine.js').then((module) => module.start());

const kick = () => { if (!document.hidden) drain(); };
addEventListener('online', kick);
// a post of htmx that did not get through before our scripts took over: say that nothing is saved
document.addEventListener('htmx:error', () => {
  const banner = document.getElementById('unsaved');
  if (banner) banner.hidden = false;
});
addEventListener('pageshow', kick);
addEventListener('outbox:changed', kick);
document.addEventListener('visibilitychange', kick);
kick();

if (isSecureContext && 'serviceWorker' in navigator) {
  navigator.serviceWorker.register('/sw.js').then((registration) => {
    if (!keep || navigator.serviceWorker.controller) return;
    // the worker did not see this first visit: hand it what the page is made of
    navigator.serviceWorker.ready.then(() => registration.active && registration.active.postMessage(
      { keep: (keep.dataset.keep || '').split(' ') }));
  });
}
