// @ts-check
/// <reference lib="webworker" />
/**
 * The service worker, secure origins only. VERSION, KEEP and MINE are written in front of it by the node.
 * Hashed files, and files of a form: cache first. Form pages: network first with a cap of 3 s, then the kept page.
 * Posts are not touched.
 */
/* global VERSION, KEEP, MINE */
const worker = /** @type {ServiceWorkerGlobalScope} */ (/** @type {unknown} */ (self));
const FILES = 'files-' + VERSION;
const PAGES = 'pages';
const MEDIA = 'media'; // a form's files: their bytes never change, so they outlive releases
const MEDIA_PATH = /^\/f\/[^/]+\/[^/]+\/media\/./;

worker.addEventListener('install', (event) => {
  // not the first one here: there may be drafts and answers already
  event.waitUntil(caches.has(PAGES).then(async (isUpdate) => (
    (await caches.open(FILES)).addAll(isUpdate ? KEEP.concat(MINE) : KEEP))));
});

worker.addEventListener('activate', (event) => {
  event.waitUntil(renew().then(() => worker.clients.claim()));
});

/** Kept pages name the files of their day: fetch them anew first, and drop the old files only when that worked. */
async function renew() {
  const pages = await caches.open(PAGES);
  for (const request of await pages.keys()) {
    const answer = await fetch(request.url, { cache: 'reload' }).catch(() => null);
    if (!answer || !ours(answer)) return;
    await pages.put(request, answer.clone());
    // beyond KEEP: the kiosk page, which not every phone needs
    await Promise.all(((await answer.text()).match(/\/static\/[^"]+/g) || []).map(keep));
  }
  const names = (await caches.keys()).filter((name) => ![FILES, PAGES, MEDIA].includes(name));
  await Promise.all(names.map((name) => caches.delete(name)));
}

worker.addEventListener('message', (event) => {
  // never by itself: a page half filled would lose the files of its day
  if (event.data && event.data.skip) worker.skipWaiting();
  // the first answer is saved: from now on its page is wanted without a signal too
  if (event.data && event.data.mine) {
    event.waitUntil(caches.open(FILES).then((cache) => cache.addAll(MINE)).then(() => keep('/mis-respuestas')));
  }
  if (event.data && event.data.keep) event.waitUntil(Promise.all(event.data.keep.map(keep)));
});

/** One file that cannot be had keeps no other from being kept. @param {string} address */
async function keep(address) {
  const isFile = address.startsWith('/static/');
  const cache = await caches.open(isFile ? FILES : MEDIA_PATH.test(address) ? MEDIA : PAGES);
  if ((isFile || MEDIA_PATH.test(address)) && await cache.match(address)) return;
  const answer = await fetch(address).catch(() => null);
  if (answer && ours(answer)) await cache.put(address, answer);
}

/** @param {Response} answer @returns {boolean} ours, not a Wi-Fi portal's */
const ours = (answer) => answer.ok && answer.headers.get('X-Collector') === '1';

worker.addEventListener('fetch', (event) => {
  const url = new URL(event.request.url);
  if (event.request.method !== 'GET' || url.origin !== location.origin) return;
  if (url.pathname.startsWith('/static/')) event.respondWith(fileFirst(event.request));
  else if (MEDIA_PATH.test(url.pathname)) event.respondWith(mediaFirst(event.request));
  else if (event.request.mode !== 'navigate' && !/\/(form|guias)\.json$/.test(url.pathname)) return;
  else if (/^\/(f|k|app|mis-respuestas)\b/.test(url.pathname)) event.respondWith(pageFirst(event.request, url));
  else if (!/^\/(lab|equipo|api|sync)\b/.test(url.pathname)) {
    event.respondWith(fetch(event.request).catch(() => whenOffline()));
  }
});

/** @param {Request} request @returns {Promise<Response>} */
async function fileFirst(request) {
  const kept = await caches.match(request);
  if (kept) return kept;
  const answer = await fetch(request);
  // asked for once, it will be again: what lists drafts, from the first one on
  if (ours(answer) && request.url.includes(`/${VERSION}/`)) await (await caches.open(FILES)).put(request, answer.clone());
  return answer;
}

/** A kept file of a form, or the part of it that a player asks for. @param {Request} request @returns {Promise<Response>} */
async function mediaFirst(request) {
  const kept = await (await caches.open(MEDIA)).match(request.url);
  const range = /^bytes=(\d+)-(\d*)$/.exec(request.headers.get('Range') || '');
  if (!kept) return fetch(request);
  if (!range) return kept;
  const whole = await kept.arrayBuffer();
  const part = whole.slice(+range[1], range[2] ? +range[2] + 1 : whole.byteLength);
  if (!part.byteLength) return new Response(null, { status: 416, headers: { 'Content-Range': `bytes */${whole.byteLength}` } });
  const headers = new Headers(kept.headers);
  headers.set('Content-Range', `bytes ${range[1]}-${+range[1] + part.byteLength - 1}/${whole.byteLength}`);
  headers.set('Content-Length', String(part.byteLength));
  return new Response(part, { status: 206, headers });
}

/** @param {Request} request @param {URL} url @returns {Promise<Response>} */
async function pageFirst(request, url) {
  const cache = await caches.open(PAGES);
  // a short link is a redirect, which a worker cannot tell from a portal's: ask for the newest version instead
  const isShort = /^\/[fk]\/[^/]+$/.test(url.pathname);
  const fresh = isShort ? newest(url, request.cache) : fetch(request).then((answer) => {
    if (!ours(answer)) throw new Error('not ours');
    return cache.put(url.pathname, answer.clone()).then(() => answer);
  });
  const late = new Promise((_, reject) => setTimeout(() => reject(new Error('late')), 3000));
  try {
    return /** @type {Response} */ (await Promise.race([fresh, late]));
  } catch (error) {
    const kept = await cache.match(url.pathname);
    return kept || fresh.catch(() => shortLink(cache, url));
  }
}

/** @param {URL} url @param {RequestCache} cache @returns {Promise<Response>} a redirect to the newest version of the form */
async function newest(url, cache) {
  const answer = await fetch(url.pathname + '/current', { cache });
  if (answer.headers.get('X-Collector') !== '1') throw new Error('not ours');
  return answer.ok ? Response.redirect((await answer.json()).address, 302) : fetch(url.pathname, { headers: { Accept: 'text/html' } });
}

/** /f/<form> without a signal: the newest kept version of that form. @param {Cache} cache @param {URL} url */
async function shortLink(cache, url) {
  const kept = (await cache.keys()).map((request) => new URL(request.url).pathname)
    .filter((path) => path.startsWith(url.pathname.replace(/\/$/, '') + '/') && !path.endsWith('.json'));
  return kept.length ? Response.redirect(kept[kept.length - 1], 302) : whenOffline();
}

async function whenOffline() {
  return (await caches.match('/offline')) || Response.error();
}
