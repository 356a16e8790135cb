// @ts-check
/** Takes up what another device left sealed on this node: opens it here, keeps it, and only then lets the node drop it. */
import { all, drafts, open } from './outbox.js';
import { keep } from './files.js';
import { fill, say } from './parts.js';
import { digest, readCode, secretsOf, unseal } from './sealing.js';

const $ = (/** @type {string} */ selector) => /** @type {any} */ (document.querySelector(selector));

/** @param {string} address @returns {Promise<Response>} */
async function ask(address) {
  const answer = await fetch(address, { cache: 'no-store' });
  if (!answer.headers.get('X-Collector')) throw new Error('not ours');
  if (answer.status === 404) throw Object.assign(new Error('none'), { isMissing: true });
  if (!answer.ok) throw new Error(String(answer.status));
  return answer;
}

/**
 * Fetches and opens a whole package.
 * @param {string} code @returns {Promise<{lines: any[], files: Map<string, Uint8Array>}>}
 */
async function fetchWhole(code) {
  const { key, id } = await secretsOf(code);
  const { pieces } = await (await ask('/sync/v1/handovers/' + id)).json();
  /** @type {Uint8Array[]} */
  const texts = [];
  /** @type {Map<string, Uint8Array>} */
  const files = new Map();
  for (let number = 0; number < pieces; number += 1) {
    fill('percent', Math.floor(100 * number / pieces));
    const sealed = new Uint8Array(await (await ask(`/sync/v1/handovers/${id}/${number}`)).arrayBuffer());
    const { head, content } = unseal(key, number, sealed);
    if (head.pieces !== pieces) throw new Error('pieces are missing');
    if (!head.blob) texts.push(content);
    else put(files, head, content);
  }
  const text = await new Blob(/** @type {any} */ (texts)).text();
  return { lines: text.split('\n').filter(Boolean).map((line) => JSON.parse(line)), files };
}

/** @param {Map<string, Uint8Array>} files @param {any} head @param {Uint8Array} content */
function put(files, head, content) {
  const whole = files.get(head.blob) || new Uint8Array(head.bytes);
  whole.set(content, head.at);
  files.set(head.blob, whole);
}

/** Keeps everything here: the files first, then records and drafts in one strict transaction. @param {{lines: any[], files: Map<string, Uint8Array>}} whole */
async function store({ lines, files }) {
  for (const [name, bytes] of files) {
    if (await digest(bytes) !== name) throw new Error('a file is not what its name says');
    await keep(name, /** @type {ArrayBuffer} */ (bytes.buffer));
  }
  const here = new Set((await all()).map((entry) => entry.id));
  const begun = new Set((await drafts()).map(({ key }) => key));
  const database = await open();
  await new Promise((resolve, reject) => {
    const transaction = database.transaction(['outbox', 'drafts'], 'readwrite', { durability: 'strict' });
    for (const line of lines) {
      // a record that stands here already stays: the same bytes, and maybe further on its way
      if (line.entry && !here.has(line.entry.id)) transaction.objectStore('outbox').put(line.entry);
      if (line.draft && !begun.has(line.draft)) transaction.objectStore('drafts').put(line.value, line.draft);
    }
    transaction.oncomplete = resolve;
    transaction.onabort = () => reject(transaction.error);
  });
}

/** @param {string} typed */
async function take(typed) {
  const code = readCode(typed);
  if (!code) return say('mistyped', 'ask');
  say('fetching');
  try {
    const whole = await fetchWhole(code);
    await store(whole);
    fill('entries', whole.lines.filter((line) => line.entry).length);
    fill('drafts', whole.lines.filter((line) => line.draft).length);
    const { id, proof } = await secretsOf(code);
    // the node may drop it now; when this does not arrive it goes by itself one day
    await fetch(`/sync/v1/handovers/${id}/taken`, { method: 'POST', body: JSON.stringify({ proof }),
      headers: { 'Content-Type': 'application/json' } }).catch(() => 0);
    history.replaceState(null, '', location.pathname);
    say('taken');
    $('[data-say=taken] h1').focus();
    dispatchEvent(new CustomEvent('outbox:changed'));
  } catch (error) {
    say(/** @type {any} */ (error).isMissing ? 'missing' : 'failed', 'ask');
  }
}

$('[data-code]').addEventListener('submit', (/** @type {SubmitEvent} */ event) => {
  event.preventDefault();
  take($('[name=code]').value);
});
const given = decodeURIComponent(location.hash.slice(1));
if (given) {
  $('[name=code]').value = given;
  take(given);
} else say('ask');
