// @ts-check
/** The facilitator's page of kiosk mode: ends it where its own PIN is forgotten. She has given the node's PIN to be here. */
import { finish, read } from './kiosk-store.js';

const box = /** @type {HTMLElement} */ (document.querySelector('[data-ending]'));

read().then((row) => {
  if (!row) return;
  box.hidden = false;
  /** @type {HTMLAnchorElement} */ (box.querySelector('[data-return]')).href = row.address;
  /** @type {HTMLElement} */ (box.querySelector('[data-end]')).addEventListener('click', async () => {
    await finish(row);
    box.hidden = true;
  });
}).catch(() => 0); // a browser that keeps nothing is in no such mode
