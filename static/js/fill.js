// @ts-check
/** The survey page: shows one page of the form at a time, reacts to answers, and hands the record to the outbox. */
import { add, canonical, draftOf, isoLocal, keepDraft, salt, uuid7 } from './outbox.js';
import { open, tidy } from './state.js';

/** @typedef {ReturnType<typeof open>} State */
const body = document.body;
/** @type {HTMLFormElement} */ let form;
/** @type {any} */ let data;
/** @type {State} */ let state;
/** @type {{id: string, started: string, saved?: boolean}} */ let record;
let page = 0;
let lang = '';
/** @type {number | undefined} */
let saving;
/** @type {Promise<void> | undefined} */
let keeping;

const now = () => /** @type {[number, number]} */ ([Date.now(), -new Date().getTimezoneOffset()]);
const pages = () => /** @type {HTMLElement[]} */ (Array.from(form.querySelectorAll('.page')));
const button = (/** @type {string} */ value) => /** @type {HTMLButtonElement} */ (form.querySelector(`[value=${value}]`));
const box = (/** @type {number} */ i) => /** @type {HTMLElement | null} */ (form.querySelector(`[data-i="${i}"]`));
const draftKey = () => 'draft:' + data.form + ':' + data.version;

export async function start() {
  form = /** @type {HTMLFormElement} */ (document.getElementById('fill'));
  const answer = await fetch(/** @type {string} */ (form.dataset.json));
  data = await answer.json();
  checkVersion();
  lang = data.langs[0];
  const draft = await draftOf(draftKey()).catch(() => undefined);
  record = draft ? draft.record : { id: uuid7(), started: isoLocal(new Date()) };
  const typed = draft ? draft.raw : readAll();
  state = open(data, now(), data.codes[lang]);
  data.nodes.forEach((/** @type {any} */ node, /** @type {number} */ i) => {
    if (node.s && node.t !== 'calculate' && typed[i]) state.raw[i] = typed[i];
  });
  state.settle();
  if (draft) writeAll();
  page = draft ? draft.page : pages().findIndex((section) => !section.hidden);
  if (draft && draft.lang) speak(draft.lang);
  form.addEventListener('input', heard);
  form.addEventListener('change', heard);
  document.addEventListener('submit', submitted, true);
  document.addEventListener('click', clicked);
  addEventListener('pagehide', keep);
  useOutbox();
  show(page, false);
  body.dataset.ready = '1';
}

/** A newer version of the form, and nothing typed yet: go to it. Without a signal this does nothing. */
async function checkVersion() {
  const answer = await fetch('/f/' + encodeURIComponent(data.form) + '/current', { cache: 'no-store' }).catch(() => undefined);
  const current = answer && answer.ok && answer.headers.get('X-Collector') ? await answer.json() : {};
  if (current.version && current.version !== data.version && page === 0 && !state.raw.some(Boolean)) {
    location.replace(current.address);
  }
}

/** @param {HTMLElement} place @returns {string} the answer as it stands in the controls */
function read(place) {
  const fields = /** @type {NodeListOf<HTMLInputElement>} */ (place.querySelectorAll('input,select,textarea'));
  return Array.from(fields)
    .filter((field) => (field.type !== 'radio' && field.type !== 'checkbox') || field.checked)
    .map((field) => field.value).join(' ');
}

const readAll = () => data.nodes.map((/** @type {any} */ node, /** @type {number} */ i) => {
  const place = node.s && box(i);
  return place ? tidy(node, read(place)) : '';
});

/** @param {number} i writes the kept answer into the controls */
function write(i) {
  const place = box(i);
  const names = state.raw[i].split(' ');
  const fields = place ? place.querySelectorAll('input,select,textarea') : [];
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (fields)) {
    if (field.type === 'radio' || field.type === 'checkbox') field.checked = names.includes(field.value);
    else if (field.value !== state.raw[i]) field.value = state.raw[i];
  }
}

function writeAll() {
  data.nodes.forEach((/** @type {any} */ node, /** @type {number} */ i) => { if (node.s) write(i); });
}

/** @param {Event} event */
function heard(event) {
  const place = /** @type {HTMLElement} */ (event.target).closest('[data-i]');
  if (!place || !form.contains(place)) return;
  const i = Number(/** @type {HTMLElement} */ (place).dataset.i);
  state.env.now = now();
  state.set(i, read(/** @type {HTMLElement} */ (place)));
  if (!state.problem(i)) complain(i, '');
  react();
  clearTimeout(saving);
  saving = setTimeout(keep, 400);
}

/** Shows what is relevant and offers the choices that fit. */
function react() {
  data.nodes.forEach((/** @type {any} */ node, /** @type {number} */ i) => {
    const place = box(i);
    if (!place) return;
    place.hidden = !state.relevant[i];
    if (node.f) offer(i, place);
  });
  steps();
}

/** @param {number} i @param {HTMLElement} place */
function offer(i, place) {
  const offered = state.choices(i);
  for (const option of /** @type {NodeListOf<HTMLOptionElement>} */ (place.querySelectorAll('[value]:not([value=""])'))) {
    const row = /** @type {HTMLElement} */ (option.closest('.opt') || option);
    row.hidden = option.disabled = !offered.includes(option.value);
  }
  write(i);
}

const shown = () => pages().map((_, n) => n).filter((n) => data.pages[n].some((/** @type {number} */ i) => state.relevant[i]));

/** Writes "Pregunta 3 de 8", its strokes, and which buttons are offered. */
function steps() {
  const path = shown();
  const at = path.indexOf(page);
  const words = /** @type {HTMLElement} */ (form.querySelector('[data-step]'));
  words.textContent = text('step').replace('{n}', String(at + 1)).replace('{total}', String(path.length));
  const strokes = /** @type {HTMLElement} */ (form.querySelector('.strokes'));
  while (strokes.children.length < path.length) strokes.append(document.createElement('li'));
  while (strokes.children.length > path.length) strokes.lastElementChild && strokes.lastElementChild.remove();
  Array.from(strokes.children).forEach((stroke, n) => { stroke.className = n < at ? 'done' : n === at ? 'now' : ''; });
  const last = at === path.length - 1;
  button('back').hidden = at <= 0;
  button('next').hidden = last;
  button('send').hidden = !last;
}

/** @param {number} n @param {boolean} [move] */
function show(n, move = true) {
  page = n;
  pages().forEach((section, at) => { section.hidden = at !== n; });
  /** @type {HTMLInputElement} */ (form.elements.namedItem('_page')).value = String(n);
  react();
  if (!move) return;
  scrollTo(0, 0);
  const first = pages()[n].querySelector('legend,label,h2');
  if (first) { first.setAttribute('tabindex', '-1'); /** @type {HTMLElement} */ (first).focus({ preventScroll: true }); }
  keep();
}

/** @param {number} n @returns {boolean} whether the page's answers are all right; says beside each what is not */
function checkPage(n) {
  const wrong = data.pages[n].filter((/** @type {number} */ i) => {
    const problem = state.problem(i);
    complain(i, problem && (message(i, problem) || text(problem)));
    return problem;
  });
  const banner = /** @type {HTMLElement} */ (document.getElementById('trouble'));
  banner.hidden = !wrong.length;
  if (wrong.length) {
    const place = /** @type {HTMLElement} */ (box(wrong[0]));
    const link = /** @type {HTMLAnchorElement} */ (banner.querySelector('a'));
    link.textContent = /** @type {HTMLElement} */ (place.querySelector('.err')).textContent;
    link.href = '#' + place.id;
    banner.focus();
    banner.scrollIntoView();
  }
  return !wrong.length;
}

/** @param {number} i @param {string} words */
function complain(i, words) {
  const place = box(i);
  const error = place && /** @type {HTMLElement | null} */ (place.querySelector('.err'));
  if (!place || !error) return;
  place.classList.toggle('bad', !!words);
  error.hidden = !words;
  error.textContent = words;
}

/** @param {string} key @returns {string} a sentence of the page in the present language */
const text = (key) => (data.ui[lang] || data.ui[data.langs[0]])[key];

/** @param {number} i @param {string} problem @returns {string} the form's own message */
function message(i, problem) {
  const said = (data.nodes[i].m || {})[problem] || {};
  return said[lang] || said[data.langs[0]] || '';
}

/** @param {SubmitEvent} event */
function submitted(event) {
  if (event.target !== form) return;
  const pressed = /** @type {HTMLButtonElement | null} */ (event.submitter);
  let go = pressed ? pressed.value : 'next';
  if (go === 'next' && button('next').hidden) go = 'send';
  const path = shown();
  const at = path.indexOf(page);
  if (go !== 'back' && !checkPage(page)) return stop(event);
  if (go === 'send') {
    const wrong = path.find((n) => data.pages[n].some((/** @type {number} */ i) => state.problem(i)));
    if (wrong !== undefined) { stop(event); show(wrong); checkPage(wrong); return undefined; }
    if (!('htmx' in window)) { stop(event); save().then(thank, refused); }
    return undefined;
  }
  stop(event);
  return show(path[at + (go === 'back' ? -1 : 1)]);
}

/** @param {Event} event */
function stop(event) {
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** htmx posts the form; our extension answers from the outbox instead of from the network. */
function useOutbox() {
  const htmx = /** @type {any} */ (window).htmx;
  if (!htmx) {
    const script = document.getElementById('htmx');
    if (script) script.addEventListener('load', useOutbox, { once: true });
    return;
  }
  htmx.registerExtension('outbox', {
    htmx_before_request: (/** @type {Element} */ elt, /** @type {any} */ detail) => {
      if (elt !== form) return;
      detail.ctx.fetch = async (/** @type {string} */ address, /** @type {RequestInit} */ request) => {
        try {
          await save();
        } catch (error) {
          // no store here (blocked, private, full): the node takes it directly, or says that it could not
          const direct = await fetch(address, request).catch(() => undefined);
          if (direct && direct.ok && direct.headers.get('X-Collector')) return direct;
          refused();
          return new Response(null, { status: 204 });
        }
        return new Response(receipt(), { headers: { 'HX-Trigger': 'outbox:kept' } });
      };
    },
  });
}

/** Saves once, however often it is pressed: the record's bytes never change. @returns {Promise<void>} */
function save() {
  if (!keeping) keeping = put().catch((error) => { keeping = undefined; throw error; });
  return keeping;
}

/** Writes the record in one strict transaction; resolves when it is on the disk. */
async function put() {
  state.env.now = now();
  state.settle();
  const finished = new Date();
  const content = {
    id: record.id, kind: 'submission', form: data.form, version: data.version, form_sha: data.sha,
    started: record.started, finished: isoLocal(finished), lang: data.codes[lang], mode: 'web', salt: salt(),
    answers: state.answers(),
  };
  clearTimeout(saving);
  await add({ id: record.id, form: data.form, version: data.version, title: data.title, state: 'saved',
    saved: finished.getTime(), body: canonical(content) }, draftKey());
  record.saved = true;
}

/** @returns {string} the receipt fragment, from the page's own template */
function receipt() {
  const template = /** @type {HTMLTemplateElement} */ (document.getElementById('receipt'));
  const copy = /** @type {HTMLElement} */ (template.content.cloneNode(true));
  const holder = document.createElement('div');
  holder.append(copy);
  const slip = /** @type {HTMLElement} */ (holder.querySelector('[data-record]'));
  slip.dataset.record = record.id;
  translate(holder);
  removeEventListener('pagehide', keep);
  import('./mine.js').then((mine) => mine.follow(record.id));
  return holder.innerHTML;
}

function thank() {
  const holder = document.createRange().createContextualFragment(receipt());
  /** @type {HTMLElement} */ (document.getElementById('main')).replaceChildren(holder);
}

function refused() {
  const banner = /** @type {HTMLElement} */ (document.getElementById('unsaved'));
  banner.hidden = false;
  banner.scrollIntoView();
}

function keep() {
  if (record.saved) return;
  keepDraft(draftKey(), { record, raw: state.raw, page, lang }).catch(() => undefined);
}

/** @param {MouseEvent} event language chips and "start again" */
function clicked(event) {
  const chip = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[data-lang]'));
  if (!chip) return;
  event.preventDefault();
  speak(/** @type {string} */ (chip.dataset.lang));
  keep();
}

/** @param {string} name switches every text of the page to this language of the form */
function speak(name) {
  lang = name;
  state.env.lang = document.documentElement.lang = data.codes[name];
  translate(document);
  for (const chip of document.querySelectorAll('[data-lang]')) {
    chip.setAttribute('aria-current', String(/** @type {HTMLElement} */ (chip).dataset.lang === name));
  }
  state.settle();
  react();
}

/** @param {ParentNode} within */
function translate(within) {
  for (const place of /** @type {NodeListOf<HTMLElement>} */ (within.querySelectorAll('[data-t]'))) {
    const key = place.dataset.t || '';
    const first = data.texts[data.langs[0]] = data.texts[data.langs[0]] || {};
    if (!(key in first)) first[key] = place.textContent;
    place.textContent = (data.texts[lang] || {})[key] || first[key];
  }
}
