// @ts-check
/** Buttons that copy a text of the page. They are hidden until this runs; the text itself can always be selected. */

for (const each of document.querySelectorAll('[data-copy]')) {
  const button = /** @type {HTMLButtonElement} */ (each);
  button.hidden = false;
  button.addEventListener('click', async () => {
    const field = document.getElementById(button.dataset.copy || '');
    if (field instanceof HTMLTextAreaElement && await copy(field)) button.textContent = button.dataset.copied || '';
  });
}

/** @param {HTMLTextAreaElement} field @returns {Promise<boolean>} whether it was copied */
async function copy(field) {
  // over plain http, as on a local network, browsers have no clipboard: the older way works there
  if (navigator.clipboard) return navigator.clipboard.writeText(field.value).then(() => true, () => select(field));
  return select(field);
}

/** @param {HTMLTextAreaElement} field */
function select(field) {
  field.focus();
  field.select();
  return document.execCommand('copy');
}
