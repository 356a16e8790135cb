// @ts-check
/**
 * A note half written is still there after the page was loaded again; it is kept in this tab and nowhere else.
 * Who joins while the pad is open can be chosen as the speaker at once.
 */

const KEY = `nota ${location.pathname}`;

/** @returns {HTMLTextAreaElement | null} */
const note = () => document.querySelector('#pad #text');

/** Put back what was being written, unless the page brings a text of its own or says that it was saved. */
function bringBack() {
  const field = note();
  if (!field || field.dataset.seen) return;
  field.dataset.seen = 'yes'; // parts of the page are put anew while somebody writes in this one
  if (field.autofocus) sessionStorage.removeItem(KEY);
  else if (!field.value) field.value = sessionStorage.getItem(KEY) || '';
}

/** Offer the seats that came since the pad was drawn; what was chosen stays. */
function seatThem() {
  const group = document.querySelector('#pad .group-note');
  const told = document.querySelector('template[data-seats]');
  if (!group || !(told instanceof HTMLTemplateElement)) return;
  for (const label of [...told.content.children]) {
    const seat = /** @type {HTMLInputElement} */ (label.querySelector('input')).value;
    if (!document.querySelector(`#pad input[name=seat][value="${CSS.escape(seat)}"]`)) group.before(label.cloneNode(true));
  }
}

addEventListener('input', (event) => {
  const field = note();
  if (field && event.target === field) sessionStorage.setItem(KEY, field.value);
});
addEventListener('htmx:after:swap', () => {
  bringBack();
  seatThem();
});
bringBack();
