// @ts-check
/** The facilitator's desk: what is being chosen or written is not drawn anew under the hands; a line says that there is news. */

const desk = document.getElementById('desk');

/** @type {Set<string>} ids of what somebody unfolded: it stays so when the desk is drawn anew */
const unfolded = new Set();

if (desk) {
  desk.addEventListener('toggle', keepOpen, true);
  addEventListener('htmx:before:request', hold);
  addEventListener('htmx:after:swap', calm);
}

/** @returns {boolean} whether something was typed or chosen that nobody has stored yet, or is being so now */
function isHeld() {
  if (!desk) return false;
  const fields = /** @type {NodeListOf<HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement>} */ (
    desk.querySelectorAll('input:not([type=hidden]), textarea, select')
  );
  return [...fields].some((field) => field === document.activeElement || isChanged(field));
}

/** @param {HTMLInputElement | HTMLTextAreaElement | HTMLSelectElement} field */
function isChanged(field) {
  if (!(field instanceof HTMLSelectElement)) return field.value !== field.defaultValue;
  const first = [...field.options].findIndex((option) => option.defaultSelected);
  return field.selectedIndex !== Math.max(first, 0);
}

/** Leave the desk as it is while it is held; what somebody sends goes on. @param {Event} event */
function hold(event) {
  if (event.target !== desk || !isHeld()) return;
  event.preventDefault();
  tell(true);
}

function calm() {
  tell(false);
  for (const id of unfolded) document.getElementById(id)?.setAttribute('open', '');
}

/** @param {Event} event */
function keepOpen(event) {
  const part = event.target;
  if (part instanceof HTMLDetailsElement && part.id) unfolded[part.open ? 'add' : 'delete'](part.id);
}

/** @param {boolean} isNew */
function tell(isNew) {
  const line = document.getElementById('news');
  if (line) line.hidden = !isNew;
}
