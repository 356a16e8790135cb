// @ts-check
/** The page's side of the service worker, on secure origins only: registers it, hands it the page, offers what is new. */

/** @param {HTMLFormElement | null} fill the survey, where this is its page */
export async function start(fill) {
  const { serviceWorker, storage } = navigator;
  // all: the browser's cache may answer for sw.js too, so that a visit costs nothing
  const registration = await serviceWorker.register('/sw.js', { updateViaCache: 'all' });
  offer(registration);
  registration.addEventListener('updatefound', () => {
    const coming = registration.installing;
    if (coming) coming.addEventListener('statechange', () => offer(registration));
  });
  // an installed program is used for weeks: its answers should not go when the device runs out of room
  if (storage && storage.persist && matchMedia('(display-mode: standalone)').matches) storage.persist();
  addEventListener('outbox:changed', async () => {
    const { active: worker } = await serviceWorker.ready;
    if (worker && !await caches.match('/mis-respuestas')) worker.postMessage({ mine: true });
  });
  if (!fill || (serviceWorker.controller && !fill.dataset.keep)) return;
  // the worker did not see this first visit, nor pictures of later pages: hand it what the page is made of
  const { active } = await serviceWorker.ready;
  if (active) active.postMessage({ keep: [fill.action + '/form.json', ...(fill.dataset.keep || fill.action).split(' ')] });
}

/** A new program waits: whoever is at the page says when. What is half filled stands in its draft. @param {ServiceWorkerRegistration} registration */
function offer({ waiting }) {
  const banner = document.getElementById('update');
  const button = banner && banner.querySelector('button');
  if (!waiting || !banner || !button || !navigator.serviceWorker.controller) return;
  banner.hidden = false;
  button.onclick = () => {
    button.disabled = true;
    navigator.serviceWorker.addEventListener('controllerchange', () => location.reload(), { once: true });
    waiting.postMessage({ skip: true });
  };
}
