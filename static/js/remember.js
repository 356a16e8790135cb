// @ts-check
/** What this browser remembers of itself beside its records, in the outbox's store `meta`: a row under a name. */
import { open } from './outbox.js';

/** @param {string} name @returns {Promise<any>} undefined where nothing is remembered or can be read */
export async function remembered(name) {
  const database = await open();
  return new Promise((resolve) => {
    const request = database.transaction('meta').objectStore('meta').get(name);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => resolve(undefined);
  });
}

/** Resolves once the row is on the disk. @param {string} name @param {any} row @returns {Promise<void>} */
export async function remember(name, row) {
  const database = await open();
  await new Promise((resolve, reject) => {
    const transaction = database.transaction('meta', 'readwrite', { durability: 'strict' });
    transaction.objectStore('meta').put(row, name);
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}
