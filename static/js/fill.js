// @ts-check
/** The survey page: shows one page of the form at a time, reacts to answers, and hands the record to the outbox. */
import { add, canonical, draftOf, isoLocal, keepDraft, salt, uuid7 } from './outbox.js';
import { open, tidy } from './state.js';

/** @typedef {import('./state.js').FormNode} FormNode */
const $ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) =>
  /** @type {any} */ (within.querySelector(selector));
const $$ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) =>
  /** @type {any[]} */ (Array.from(within.querySelectorAll(selector)));
const now = () => /** @type {[number, number]} */ ([Date.now(), -new Date().getTimezoneOffset()]);

/** @type {HTMLFormElement} */ let form;
/** @type {any} */ let data;
/** @type {ReturnType<typeof open>} */ let state;
/** @type {{id: string, started: string}} */ let record;
/** @type {HTMLElement[]} */ let pages;
/** @type {Map<number, HTMLElement>} where each node of the form is drawn */ const boxes = new Map();
/** @type {Promise<void> | undefined} */ let saving;
let page = 0;
let lang = '';
let drawn = ''; // the language in which the node drew the page
let timer = 0;
let isHooked = false;

export async function start() {
  form = $('#fill');
  while (!data) {
    data = await fetch(/** @type {string} */ (form.dataset.json)).then((answer) => answer.json()).catch(() => 0);
    // until then the form posts to the node
    if (!data) await new Promise((resolve) => setTimeout(resolve, 3000));
  }
  drawn = lang = $('[name=_language]').value;
  pages = $$('.page');
  $$('[data-i]').forEach((box) => boxes.set(+box.dataset.i, box));
  const draft = await draftOf(draftKey()).catch(() => null);
  const typed = draft ? draft.raw : data.nodes.map((/** @type {FormNode} */ _, /** @type {number} */ i) => heardFrom(i));
  record = draft ? draft.record : { id: uuid7(), started: isoLocal(new Date()) };
  control('id', record.id);
  control('started', record.started);
  await Promise.all((data.more || []).map((/** @type {string} */ name) => import('./' + name)));
  state = open(data, now(), data.codes[lang]);
  each((node, i) => { if (boxes.has(i) && typed[i]) state.raw[i] = typed[i]; });
  state.settle();
  if (draft) each((node, i) => write(i));
  form.addEventListener('input', heard);
  document.addEventListener('submit', submitted, true);
  document.addEventListener('click', clicked);
  addEventListener('pagehide', keep);
  useOutbox();
  if (draft && draft.lang !== lang) speak(draft.lang);
  show(draft ? draft.page : shown()[0]);
  document.body.dataset.ready = '1';
  if (!draft) checkVersion();
}

/** What the node needs if it has to take the record itself. @param {string} name @param {any} value */
const control = (name, value) => { $(`[name=_${name}]`).value = value; };
const draftKey = () => data.form + ' ' + data.version;
const each = (/** @type {(node: FormNode, i: number) => void} */ work) => data.nodes.forEach(work);

/** A newer version of the form, and nothing typed yet: go to it. Without a signal this does nothing. */
async function checkVersion() {
  const answer = await fetch(/** @type {string} */ (form.dataset.current), { cache: 'no-store' }).catch(() => null);
  const current = answer && answer.ok && answer.headers.get('X-Collector') && await answer.json();
  if (current && current.version !== data.version && !page && !state.raw.some(Boolean)) location.replace(current.address);
}

/** The controls of a question. @param {number} i */
const fieldsOf = (i) => boxes.has(i) ? $$('input,select,textarea', boxes.get(i)) : [];
/** Whether it is chosen by a tick. */
const isTick = (/** @type {HTMLInputElement} */ field) => /radio|checkbox/.test(field.type);

/** The answer as it stands in the controls. @param {number} i */
const heardFrom = (i) => tidy(data.nodes[i],
  fieldsOf(i).filter((field) => !isTick(field) || field.checked).map((field) => field.value).join(' '));

/** Writes the kept answer into the controls. @param {number} i */
function write(i) {
  for (const field of fieldsOf(i)) {
    if (isTick(field)) field.checked = state.raw[i].split(' ').includes(field.value);
    else if (field.value !== state.raw[i]) field.value = state.raw[i];
  }
}

/** @param {Event} event */
function heard(event) {
  const box = /** @type {HTMLElement} */ (event.target).closest('[data-i]');
  if (!box) return;
  const i = +(/** @type {HTMLElement} */ (box).dataset.i || 0);
  state.env.now = now();
  state.set(i, heardFrom(i));
  if (!state.problem(i)) complain(i, '');
  if (!$('.bad')) $('#trouble').hidden = true;
  react();
  clearTimeout(timer);
  timer = setTimeout(keep, 400);
}

/** The pages with something to ask or to say now. @returns {number[]} */
const shown = () => pages.map((_, n) => n).filter((n) => data.pages[n].some((/** @type {number} */ i) => state.relevant[i]));

/** Shows what is relevant, offers the choices that fit, and says where one is. */
function react() {
  boxes.forEach((box, i) => {
    box.hidden = !state.relevant[i];
    if (!data.nodes[i].f) return;
    const offered = state.choices(i);
    for (const option of $$('[value]:not([value=""])', box)) {
      option.disabled = (option.closest('.opt') || option).hidden = !offered.includes(option.value);
    }
    write(i);
  });
  const path = shown();
  const at = path.indexOf(page);
  $('[data-step]').textContent = text('step').replace('{n}', at + 1).replace('{total}', path.length);
  $$('.strokes li').forEach((stroke, n) => {
    stroke.hidden = n >= path.length;
    stroke.className = n < at ? 'done' : n > at ? '' : 'now';
  });
  $('[value=back]').hidden = at < 1;
  $('[value=next]').hidden = at > path.length - 2;
  $('[value=send]').hidden = at < path.length - 1;
}

/** @param {number} n @param {boolean} [moved] */
function show(n, moved) {
  page = n;
  pages.forEach((section, at) => { section.hidden = at !== n; });
  control('page', n);
  react();
  if (!moved) return;
  scrollTo(0, 0);
  const first = $('legend,.legend,h2', pages[n]);
  first.tabIndex = -1;
  first.focus({ preventScroll: true });
  keep();
}

/** Says beside each answer of a page what is not right; tells whether all is. @param {number} n @returns {boolean} */
function checkPage(n) {
  const wrong = data.pages[n].filter((/** @type {number} */ i) => {
    const problem = state.problem(i);
    complain(i, problem && (message(i, problem) || text(problem)));
    return problem;
  });
  const banner = $('#trouble');
  banner.hidden = !wrong.length;
  if (!wrong.length) return true;
  const box = /** @type {HTMLElement} */ (boxes.get(wrong[0]));
  const link = $('a', banner);
  link.textContent = $('.err', box).textContent;
  link.href = '#' + box.id;
  banner.focus();
  banner.scrollIntoView();
  return false;
}

/** @param {number} i @param {string} words */
function complain(i, words) {
  const box = /** @type {HTMLElement} */ (boxes.get(i));
  const error = $('.err', box);
  if (!error) return;
  box.classList.toggle('bad', !!words);
  error.hidden = !words;
  error.textContent = words;
}

/** One of our own sentences in the present language. @param {string} key @returns {any} */
const text = (key) => data.ui[lang][key];

/** The form's own message. @param {number} i @param {string} problem @returns {string} */
function message(i, problem) {
  const said = (data.nodes[i].m || {})[problem] || {};
  return said[lang] || said[data.langs[0]];
}

/** @param {SubmitEvent} event */
function submitted(event) {
  if (event.target !== form || /** @type {any} */ (event.submitter || {}).name === '_lang') return;
  const go = event.submitter ? /** @type {HTMLButtonElement} */ (event.submitter).value : 'next';
  const path = shown();
  const step = path[path.indexOf(page) + (go === 'back' ? -1 : 1)];
  const isLast = step === undefined;
  if (go === 'back' || (checkPage(page) && !isLast)) {
    if (!isLast) show(step, true);
  } else if (isLast) {
    const wrong = path.find((n) => data.pages[n].some((/** @type {number} */ i) => state.problem(i)));
    if (wrong === undefined) {
      if (isHooked && !saving) {
        // htmx takes it from here and our extension answers; never the browser's own post besides
        event.preventDefault();
        return;
      }
      if (!saving) save().then(() => $('#main').replaceChildren(...receipt().childNodes), refused);
    } else {
      show(wrong, true);
      checkPage(wrong);
    }
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}

/** htmx posts the form; our extension answers from the outbox instead of from the network. */
function useOutbox() {
  const htmx = /** @type {any} */ (window).htmx;
  if (!htmx) {
    $('#htmx').addEventListener('load', useOutbox);
    return;
  }
  isHooked = true;
  htmx.registerExtension('outbox', {
    htmx_before_request: (/** @type {Element} */ elt, /** @type {any} */ detail) => {
      if (elt === form) detail.ctx.fetch = answer;
    },
  });
}

/** @param {string} address @param {RequestInit} request @returns {Promise<Response>} */
async function answer(address, request) {
  try {
    await save();
    return new Response(receipt().innerHTML);
  } catch (error) {
    // no store here (blocked, private, full): the node takes it directly, or we say plainly that it is not saved
    const direct = await fetch(address, request).catch(() => null);
    if (direct && direct.ok && direct.headers.get('X-Collector')) return direct;
    refused();
    return new Response(null, { status: 204 });
  }
}

/** Saves once, however often it is pressed: a record's bytes never change. @returns {Promise<void>} */
function save() {
  if (!saving) {
    saving = put();
    saving.catch(() => { saving = undefined; });
  }
  return saving;
}

/** Writes the record in one strict transaction; resolves when it is on the disk. */
async function put() {
  state.env.now = now();
  state.settle();
  clearTimeout(timer);
  const { form: name, version, sha, title } = data;
  const saved = new Date();
  const body = canonical({
    ...record, version, form: name, form_sha: sha, kind: 'submission', mode: 'web', salt: salt(),
    finished: isoLocal(saved), lang: data.codes[lang], answers: state.answers(),
  });
  try {
    await add({ id: record.id, form: name, version, title, state: 'saved', saved: +saved, body }, draftKey());
  } catch (error) {
    if (/** @type {any} */ (error || {}).name !== 'ConstraintError') throw error;
    // another tab went on from the same draft and saved first: this is a second record
    record.id = uuid7();
    await put();
  }
}

/** The receipt, from the page's own template; it stays true as the record moves on. @returns {HTMLElement} */
function receipt() {
  const holder = document.createElement('div');
  holder.append($('#receipt').content.cloneNode(true));
  $('[data-record]', holder).dataset.record = record.id;
  import('./mine.js').then((mine) => mine.follow(record.id));
  return holder;
}

function refused() {
  const banner = $('#unsaved');
  banner.hidden = false;
  banner.scrollIntoView();
}

function keep() {
  if (!saving) keepDraft(draftKey(), { record, raw: state.raw, page, lang }).catch(() => 0);
}

/** @param {MouseEvent} event */
function clicked(event) {
  const chip = /** @type {HTMLElement | null} */ (/** @type {HTMLElement} */ (event.target).closest('[data-lang]'));
  const name = chip && chip.dataset.lang || '';
  // a page that the node drew in another language does not hold the first one: then the node draws it again
  if (!chip || (name !== drawn && !data.texts[name])) return;
  event.preventDefault();
  speak(name);
  react();
  if (!$('#trouble').hidden) checkPage(page);
  keep();
}

/** Switches every text of the page to this language of the form. @param {string} name */
function speak(name) {
  lang = name;
  control('language', name);
  state.env.lang = document.documentElement.lang = data.codes[name];
  translate();
  $$('[data-lang]').forEach((chip) => chip.setAttribute('aria-current', chip.dataset.lang === name));
  state.settle();
}

/** Texts stand in the JSON in the order of the page, those of the receipt last. */
function translate() {
  const places = [...$$('[data-t]', form), ...$$('[data-t]', $('#receipt').content)];
  if (!data.texts[drawn]) data.texts[drawn] = places.map((place) => place.textContent);
  places.forEach((place, n) => { place.textContent = data.texts[lang][n]; });
}
