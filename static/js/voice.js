// @ts-check
/**
 * Hearing a survey: turns the players beside questions and options into one round button each. One sound at a time; what
 * is heard is framed; hearing never chooses. Loaded by pages that have sounds; without it the players stand there.
 */

/** @typedef {{button: HTMLButtonElement, sounds: HTMLAudioElement[], text: HTMLElement, words: string}} Speaker */
const form = /** @type {HTMLFormElement} */ (document.getElementById('fill'));
const template = /** @type {HTMLTemplateElement} */ (document.getElementById('speaker'));
const player = new Audio();
/** @type {Speaker | null} */ let speaking = null;
/** @type {Speaker[]} */ let speakers = [];
/** @type {string | null} code of a language without texts, '' for that of the page */ let tongue = null;

/** One of our words in the language of the page. @param {string} key @returns {string} */
function word(key) {
  const language = /** @type {HTMLInputElement} */ (form.elements.namedItem('_language')).value;
  const words = JSON.parse(template.dataset[key] || '{}');
  return words[language] || Object.values(words)[0];
}

/** Gives every new group of players its button. */
function dress() {
  for (const first of form.querySelectorAll('audio')) {
    const before = first.previousElementSibling;
    if (!first.controls || (before && before.tagName === 'AUDIO')) continue;
    const sounds = [first];
    for (let next = first.nextElementSibling; next && next.tagName === 'AUDIO'; next = next.nextElementSibling) {
      sounds.push(/** @type {HTMLAudioElement} */ (next));
    }
    add(sounds);
  }
  speakers = speakers.filter(({ button }) => button.isConnected);
  caption();
}

/** @param {HTMLAudioElement[]} sounds */
function add(sounds) {
  const around = /** @type {HTMLElement} */ (sounds[0].parentElement);
  const text = /** @type {HTMLElement | null} */ (around.querySelector('legend,.legend,.opt span'));
  if (!text) return;
  const button = /** @type {HTMLButtonElement} */ (/** @type {Element} */ (template.content.firstElementChild).cloneNode(true));
  if (!around.matches('.say')) {
    button.className = 'btn hear';
    button.append(document.createElement('span'));
  }
  sounds[0].before(button);
  // without controls they take no room and no focus
  sounds.forEach((sound) => { sound.controls = false; sound.hidden = true; });
  const speaker = { button, sounds, text, words: '' };
  button.addEventListener('click', () => (speaking === speaker ? stop() : play(speaker)));
  speakers.push(speaker);
}

/** Says on each button what it does now. */
function caption() {
  for (const speaker of speakers) {
    const { button, text } = speaker;
    const does = word(speaker === speaking ? 'stop' : 'hear');
    const shown = button.querySelector('span');
    if (shown && shown.textContent !== does) shown.textContent = does;
    button.setAttribute('aria-label', `${does}: ${text.textContent}`);
    button.classList.toggle('on', speaker === speaking);
    text.classList.toggle('speaking', speaker === speaking);
  }
}

/** The sound in the language that was asked for, else the form's own, else any. @param {Speaker} speaker */
function chosen({ sounds }) {
  const wanted = tongue === null ? document.documentElement.lang : tongue;
  const of = (/** @type {string} */ code) => sounds.find((sound) => (sound.dataset.tongue || '') === code);
  return of(wanted) || of('') || sounds[0];
}

/** @param {Speaker} speaker */
function play(speaker) {
  stop();
  speaking = speaker;
  complain(speaker, '');
  player.src = chosen(speaker).src;
  player.play().catch((error) => {
    if (error.name === 'AbortError' || speaking !== speaker) return;
    stop();
    complain(speaker, word('failed'));
  });
  caption();
}

function stop() {
  player.pause();
  speaking = null;
  caption();
}

/** @param {Speaker} speaker @param {string} words */
function complain({ button }, words) {
  const place = /** @type {Element} */ (button.closest('.say') || button);
  const next = place.nextElementSibling;
  const said = next && next.matches('.unheard') ? next : document.createElement('p');
  said.className = 'hint unheard';
  said.setAttribute('role', 'status');
  said.textContent = words;
  if (words) place.after(said);
  else said.remove();
}

/** Offers the languages that are only spoken, above the first question. */
function offerTongues() {
  const found = new Map([['', '']]);
  for (const sound of form.querySelectorAll('audio')) {
    const code = sound.dataset.tongue || '';
    if (code) found.set(code, (sound.getAttribute('aria-label') || '').replace(/:.*/s, ''));
  }
  const written = [...document.querySelectorAll('[data-lang]')].map((chip) => chip.getAttribute('lang') || '');
  const only = [...found].filter(([code]) => code && !written.includes(code));
  if (!only.length) return;
  const row = document.createElement('p');
  row.className = 'langs';
  row.dataset.tongues = '';
  row.setAttribute('role', 'group');
  for (const [code, called] of only) row.append(chip(code, called));
  form.insertBefore(row, document.getElementById('progress'));
  nameTongues();
}

/** @param {string} code @param {string} called @returns {HTMLButtonElement} */
function chip(code, called) {
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'chip';
  button.dataset.tongue = code;
  button.dataset.called = called;
  button.addEventListener('click', () => {
    tongue = tongue === code ? null : code;
    stop();
    nameTongues();
  });
  return button;
}

/** Writes the chips in the language of the page, and which one is on. */
function nameTongues() {
  const row = /** @type {HTMLElement | null} */ (form.querySelector('[data-tongues]'));
  if (!row) return;
  row.setAttribute('aria-label', word('tongues'));
  for (const button of /** @type {NodeListOf<HTMLButtonElement>} */ (row.querySelectorAll('.chip'))) {
    const called = document.createElement('span');
    called.lang = button.dataset.tongue || '';
    called.textContent = button.dataset.called || '';
    button.replaceChildren(word('tongues') + ' ', called);
    button.setAttribute('aria-pressed', String(tongue === button.dataset.tongue));
  }
}

/** On plain http the browser's own cache is all there is: what is asked for now is there without a signal. */
async function keepAtHand() {
  for (const address of (form.dataset.keep || '').split(' ').slice(1)) {
    if (await fetch(address).then(() => 0, () => 1)) return;
  }
}

player.addEventListener('ended', stop);
form.addEventListener('submit', stop, true);
addEventListener('pagehide', stop);
new MutationObserver(dress).observe(form, { childList: true, subtree: true });
new MutationObserver(() => { caption(); nameTongues(); }).observe(document.documentElement, { attributes: true, attributeFilter: ['lang'] });
dress();
offerTongues();
if (!isSecureContext) addEventListener('load', () => setTimeout(keepAtHand, 2000));

export {}; // a module of its own
