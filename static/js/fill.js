// @ts-check
/** The survey page: shows one page of the form at a time, reacts to answers, and hands the record to the outbox. */
import { add, canonical, drafts, dropDraft, isoLocal, putDraft, salt, uuid7 } from './outbox.js';
import * as simple from './state.js';

/**
 * @typedef {import('./state.js').FormNode} FormNode
 * @typedef {{box: HTMLElement, i: number, page: number, row?: any}} Spot  where a node is drawn; row: in a repeat
 */
const $ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) =>
  /** @type {any} */ (within.querySelector(selector));
const $$ = (/** @type {string} */ selector, /** @type {ParentNode} */ within = document) =>
  /** @type {any[]} */ (Array.from(within.querySelectorAll(selector)));
const now = () => /** @type {[number, number]} */ ([Date.now(), -new Date().getTimezoneOffset()]);

/** @type {HTMLFormElement} */ let form;
/** @type {any} */ let data;
/** @type {any} */ let state;
/** @type {any} rich.js, where the form has what state.js does not know */ let rich;
/** @type {{id: string, started: string}} */ let record;
/** @type {HTMLElement[]} */ let pages;
/** @type {Spot[]} */ let spots;
/** @type {Promise<void> | undefined} */ let saving;
/** @type {any} code.js, once it is here */ let codes;
let page = 0;
let lang = '';
let drawn = ''; // the language in which the node drew the page
let timer = 0;
let key = ''; // of the draft
let isBegun = false; // there is something to keep
let isDirect = false; // the node takes the record itself

export async function start() {
  form = $('#fill');
  while (!data) {
    data = await fetch(form.action + '/form.json').then((answer) => answer.json()).catch(() => 0);
    // until then the form posts to the node
    if (!data) await new Promise((resolve) => setTimeout(resolve, 3000));
  }
  drawn = lang = $('[name=_language]').value;
  pages = $$('.page');
  const draft = await chosenDraft();
  // #t=…: a link that counts once (docs/paper.md)
  record = draft ? draft.record : { id: uuid7(), started: isoLocal(new Date()), .../^#t=(?<ticket>\w{12})$/.exec(location.hash)?.groups };
  key = draft ? draft.key : record.id;
  if (draft) begin();
  control('id', record.id);
  control('started', record.started);
  await Promise.all((data.more || []).map((/** @type {string} */ name) => import('./' + name)));
  rich = data.engine && await import('./rich.js');
  state = (rich || simple).open(data, now(), data.codes[lang], lang);
  if (draft) state.restore(draft.raw);
  if (rich) rich.start({ state, data, form, scan, translate, text, react, keep: () => { begin(); keep(); }, heard, spots: () => spots, language: () => lang }, draft);
  scan();
  spots.forEach((spot) => {
    if (draft) write(spot);
    // typed before the scripts were here
    else if (data.nodes[spot.i].t && heardFrom(spot)) state.set(spot.i, heardFrom(spot), spot.row);
  });
  if (isTouched()) begin();
  form.addEventListener('input', heard);
  document.addEventListener('submit', submitted, true);
  document.addEventListener('click', clicked);
  addEventListener('pagehide', keep);
  if (draft && draft.lang !== lang) speak(draft.lang);
  show(draft ? draft.page : shown()[0]);
  document.body.dataset.ready = '1';
  // what the receipt needs is fetched now: there may be no signal at the end
  import('./receipt.js').catch(() => 0);
  import('./code.js').then((module) => { codes = module; }, () => 0);
  if (!isBegun) checkVersion();
}

/** What the node needs if it has to take the record itself. @param {string} name @param {any} value */
const control = (name, value) => { $(`[name=_${name}]`).value = value; };

/** The draft to go on with: the one that the address names, or that somebody picks; none for a new record. */
async function chosenDraft() {
  const begun = await drafts().catch(() => {
    loadDirect().catch(() => 0); // nothing is kept here: what sends at the end is fetched now
    return [];
  });
  const ours = begun.filter((draft) => draft.form === data.form);
  const named = ours.find((draft) => location.hash === '#b=' + encodeURIComponent(draft.key));
  // a short link leads to the newest version: back to the one that was begun
  if (named && named.version !== data.version) {
    location.replace(named.address + location.hash);
    await new Promise(() => 0);
  }
  if (named || !ours.length || location.hash === '#nueva' || isTouched()) return named;
  const { choose } = await import('./begun.js').catch(() => ({ choose: null }));
  return choose ? choose(ours, form, data.version) : ours.find((draft) => draft.version === data.version);
}

/** Whether something was answered before the scripts were here. */
const isTouched = () => fieldsOf({ box: form }).some((field) => (isTick(field) ? field.checked !== field.defaultChecked
  : field.options ? field.value && !field.selectedOptions[0].defaultSelected : field.value !== field.defaultValue));

/** From now on there is a draft, and this tab's address names it: a reload leads back to it. */
function begin() {
  if (isBegun) return;
  isBegun = true;
  history.replaceState(null, '', '#b=' + encodeURIComponent(key));
  import('./begun.js').catch(() => 0); // asks the next time, when there may be no signal
}

/** Lists what stands on the pages now. */
function scan() {
  spots = [].concat(.../** @type {any} */ (pages.map((section, page) => $$('[data-i]', section).map((box) => (
    { box, i: +box.dataset.i, page, row: rich && rich.rowOf(box) })))));
}

/** A newer version of the form, and nothing typed yet: go to it. Without a signal this does nothing. */
async function checkVersion() {
  // asked once in ten minutes, by the browser's own cache; a reload asks in any case
  const [visit] = /** @type {any[]} */ (performance.getEntriesByType('navigation'));
  for (const cache of /** @type {RequestCache[]} */ (visit && visit.type === 'reload' ? ['reload'] : ['default', 'reload'])) {
    const answer = await fetch(form.action.replace(/[^/]*$/, 'current'), { cache }).catch(() => null);
    const current = answer && answer.ok && answer.headers.get('X-Collector') && await answer.json();
    if (!current || current.version === data.version || isBegun) return;
    // what the cache says may be older than this page: only the node itself sends it elsewhere
    if (cache === 'reload') location.replace(current.address + location.hash);
  }
}

/** The controls of a question. @param {{box: HTMLElement}} spot */
const fieldsOf = ({ box }) => $$('input:not([data-own]),select:not([data-own]),textarea', box);
/** Whether it is chosen by a tick. */
const isTick = (/** @type {HTMLInputElement} */ field) => /radio|checkbox/.test(field.type);

/** The answer as it stands in the controls. @param {Spot} spot */
const heardFrom = (spot) => simple.tidy(data.nodes[spot.i],
  fieldsOf(spot).filter((field) => !isTick(field) || field.checked).map((field) => field.value).join(' '));

/** Writes the kept answer into the controls. @param {Spot} spot */
function write(spot) {
  const value = (spot.row || state).raw[spot.i];
  if (!data.nodes[spot.i].t || (rich && rich.write(spot, value))) return;
  for (const field of fieldsOf(spot)) {
    if (isTick(field)) field.checked = value.split(' ').includes(field.value);
    else if (field.value !== value) field.value = value;
  }
}

/** @param {Event} event */
function heard(event) {
  const box = /** @type {HTMLElement} */ (event.target).closest('[data-i]');
  const spot = spots.find((each) => each.box === box);
  if (!spot) return;
  state.env.now = now();
  (rich || state).set(spot.i, heardFrom(spot), spot.row, event);
  if (!state.problem(spot.i, spot.row)) complain(spot, '');
  if (!$('.bad')) $('#trouble').hidden = true;
  react();
  clearTimeout(timer);
  timer = setTimeout(keep, 400);
  begin();
}

/** The pages with something to ask or to say now. @returns {number[]} */
function shown() {
  const found = new Set(spots.filter(({ i, row }) => (row || state).relevant[i] && (data.nodes[i].t || data.nodes[i].a))
    .map((spot) => spot.page));
  return [...found];
}

/** Shows what is relevant, offers the choices that fit, and says where one is. */
function react() {
  if (rich) rich.draw();
  spots.forEach((spot) => {
    const { box, i, row } = spot;
    box.hidden = !(row || state).relevant[i];
    if (!data.nodes[i].f || (rich && rich.offers(spot))) return;
    const offered = state.choices(i, row);
    for (const option of $$('[value]:not([value=""])', box)) {
      option.disabled = (option.closest('.opt') || option).hidden = !offered.includes(option.value);
    }
    write(spot);
  });
  const path = shown();
  const at = path.indexOf(page);
  const words = text('step').replace('{n}', at + 1).replace('{total}', path.length);
  const place = $('[data-step]');
  if (place.textContent === words) return;
  place.textContent = words;
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
  begin();
  keep();
}

/** Says beside each answer of a page what is not right; tells whether all is. @param {number} n @returns {boolean} */
function checkPage(n) {
  const wrong = spots.filter((spot) => {
    if (spot.page !== n) return false;
    const problem = state.problem(spot.i, spot.row);
    complain(spot, problem && (message(spot, problem) || text(problem)));
    return problem;
  });
  const banner = $('#trouble');
  banner.hidden = !wrong.length;
  if (!wrong.length) return true;
  const { box } = wrong[0];
  const link = $('a', banner);
  link.textContent = $('.err', box).textContent;
  link.href = '#' + box.id;
  banner.focus();
  banner.scrollIntoView();
  return false;
}

/** @param {Spot} spot @param {string} words */
function complain({ box, i }, words) {
  const error = data.nodes[i].t && $('.err', box);
  if (!error) return;
  box.classList.toggle('bad', !!words);
  error.hidden = !words;
  error.textContent = words;
}

/** One of our own sentences in the present language. @param {string} key @returns {any} */
const text = (key) => data.ui[lang][key];

/** The form's own message. @param {Spot} spot @param {string} problem @returns {string} */
function message({ i, row }, problem) {
  if (rich) return state.message(i, row);
  return ((data.nodes[i].m || {})[problem] || {})[lang];
}

/** @param {SubmitEvent} event */
function submitted(event) {
  if (event.target !== form || isDirect || /** @type {any} */ (event.submitter || {}).name === '_lang') return;
  const go = event.submitter ? /** @type {HTMLButtonElement} */ (event.submitter).value : 'next';
  const path = shown();
  const step = path[path.indexOf(page) + (go === 'back' ? -1 : 1)];
  const isLast = step === undefined;
  if (go === 'back' || (checkPage(page) && !isLast)) {
    if (!isLast) show(step, true);
  } else if (isLast) {
    const wrong = spots.find(({ i, row }) => state.problem(i, row));
    if (!wrong) {
      if (!saving) save().then(thank, () => setTimeout(goDirect)); // a form posts nothing while its last submit goes on
    } else {
      show(wrong.page, true);
      checkPage(wrong.page);
    }
  }
  event.preventDefault();
  event.stopImmediatePropagation();
}

const loadDirect = () => import('./direct.js').then((direct) => direct.load());

/** No store here (blocked, private, full): htmx posts to the node, or it is said plainly that nothing is saved. */
async function goDirect() {
  try {
    await loadDirect();
  } catch (error) {
    $('#unsaved').hidden = false;
    $('#unsaved').scrollIntoView();
    return;
  }
  if (rich) control('was', JSON.stringify(state.dump()));
  isDirect = true;
  $('[value=send]').click();
  isDirect = false;
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
  state.finish();
  clearTimeout(timer);
  const { form: name, version, sha } = data;
  const saved = new Date();
  const [files, sent] = rich ? rich.files() : [{}, {}];
  const { code, ...claim } = codes ? await codes.makeCode() : {};
  const body = canonical({
    ...record, ...files, ...claim, version, form: name, form_sha: sha, kind: 'submission', mode: 'web', salt: salt(),
    finished: isoLocal(saved), lang: data.codes[lang], answers: state.answers(),
  });
  try {
    await add({ id: record.id, form: name, version, title: document.title, state: 'saved', saved: +saved, body, code, ...sent }, key);
  } catch (error) {
    if (/** @type {any} */ (error || {}).name !== 'ConstraintError') throw error;
    // another tab went on from the same draft and saved first: this is a second record
    record.id = uuid7();
    await put();
  }
}

/** Shows the receipt, from the page's own template; it stays true as the record moves on. */
function thank() {
  const { content } = $('#receipt');
  $('[data-record]', content).dataset.record = record.id;
  $('#main').replaceChildren(content);
  // the second tap of a double tap on Enviar would take the receipt away: its buttons stand where that one stood
  const deaf = (/** @type {Event} */ event) => event.preventDefault();
  $('#main').addEventListener('click', deaf);
  setTimeout(() => $('#main').removeEventListener('click', deaf), 700);
  history.replaceState(null, '', location.pathname);
  import('./receipt.js').then((receipt) => receipt.follow(record.id));
}

function keep() {
  if (saving || !isBegun) return;
  const path = shown();
  const { form: name, version } = data;
  putDraft(key, {
    form: name, version, address: form.getAttribute('action'), title: document.title, at: Date.now(), page, lang, record,
    step: [path.indexOf(page) + 1, path.length], raw: state.dump(), files: rich && rich.held, typed: rich && rich.typed,
  }).catch(() => 0);
}

/** @param {MouseEvent} event */
function clicked(event) {
  const target = /** @type {HTMLElement} */ (event.target);
  if (isBegun && target.closest('[data-no]')) decline(event);
  const chip = /** @type {HTMLElement | null} */ (target.closest('[data-lang]'));
  const name = chip && chip.dataset.lang || '';
  // a page that the node drew in another language does not hold the first one: then the node draws it again
  if (!chip || (name !== drawn && !data.texts[name])) return;
  event.preventDefault();
  speak(name);
  react();
  if (!$('#trouble').hidden) checkPage(page);
  keep();
}

/** Who says no to the notice leaves nothing behind. @param {MouseEvent} event */
function decline(event) {
  event.preventDefault();
  isBegun = false;
  const leave = () => location.assign('/');
  dropDraft(key).then(leave, leave);
}

/** Switches every text of the page to this language of the form. @param {string} name */
function speak(name) {
  lang = name;
  control('language', name);
  state.env.lang = document.documentElement.lang = data.codes[name];
  state.env.language = name;
  translate();
  $$('[data-lang]').forEach((chip) => chip.setAttribute('aria-current', chip.dataset.lang === name));
  state.settle();
}

/** Texts stand in the JSON in the order of the page, those of the receipt last. */
function translate() {
  const places = [...$$('[data-t]', form), ...$$('[data-t]', $('#receipt').content)];
  if (!data.texts[drawn]) data.texts[drawn] = places.map((place) => place.textContent);
  // the texts of a row that may be there several times carry their number
  places.forEach((place, n) => { place.textContent = data.texts[lang][place.dataset.t || n]; });
}
