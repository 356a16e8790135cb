// @ts-check
/**
 * Keeps `lang` right where a form is not translated whole: a text that shows in another language than the page says so,
 * for screen readers and hyphenation. `data-l` lists it: "gym:es" = on the page in gym this text is Spanish.
 */
const root = document.documentElement;
const form = /** @type {HTMLElement} */ (document.getElementById('fill'));
const receipt = /** @type {HTMLTemplateElement} */ (document.getElementById('receipt'));

function tell() {
  for (const text of /** @type {HTMLElement[]} */ ([...form.querySelectorAll('[data-l]'), ...receipt.content.querySelectorAll('[data-l]')])) {
    const pairs = (text.dataset.l || '').split(' ').map((pair) => /** @type {[string, string]} */ (pair.split(':')));
    speak(text, new Map(pairs).get(root.lang));
  }
  // our own sentences are Spanish where we have no other
  const ours = /^(es|en)\b/.test(root.lang) ? undefined : 'es';
  for (const text of /** @type {NodeListOf<HTMLElement>} */ (form.querySelectorAll('[data-step],[data-said]'))) speak(text, ours);
}

/** @param {HTMLElement} text @param {string | undefined} code */
function speak(text, code) {
  if (code && text.lang !== code) text.lang = code;
  else if (!code && text.hasAttribute('lang')) text.removeAttribute('lang');
}

new MutationObserver(tell).observe(root, { attributes: true, attributeFilter: ['lang'] });
new MutationObserver(tell).observe(form, { childList: true, subtree: true });

export {}; // a module of its own
