// @ts-check
/** Says in words which face of a 0 to 10 scale is chosen. Loaded by forms that have one. */

function tell() {
  for (const echo of document.querySelectorAll('[data-echo]')) {
    const box = /** @type {Element} */ (echo.closest('.q'));
    const [words, invitation, said] = /** @type {HTMLElement[]} */ (Array.from(echo.children));
    const field = /** @type {HTMLInputElement | null} */ (box.querySelector('[data-scale] input:checked'));
    const now = field ? (words.textContent || '').replace('{n}', field.value) : '';
    invitation.hidden = !!box.querySelector('input:checked'); // also when somebody does not know
    if (said.textContent !== now) said.textContent = now;
  }
}

addEventListener('input', tell);
// a draft has been written, another language speaks
new MutationObserver(tell).observe(document.body, { attributes: true });
new MutationObserver(() => setTimeout(tell)).observe(document.documentElement, { attributes: true });

export {}; // a module of its own
