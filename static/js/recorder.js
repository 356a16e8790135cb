// @ts-check
/**
 * Recording in the page, where the browser allows it (https, localhost): a button beside each sound's file field. What is
 * recorded is put into that field, as if somebody had chosen a file; elsewhere the field alone stays.
 */

const BITS_PER_SECOND = 24000;
const LONGEST_SECONDS = 180;
const TYPES = ['audio/webm;codecs=opus', 'audio/ogg;codecs=opus', 'audio/mp4'];

/** @typedef {{record: string, stop: string, again: string, said: string, refused: string, listen: string}} Words */

/** Whether this browser records here. */
const canRecord = () => isSecureContext && !!(navigator.mediaDevices && self.MediaRecorder && self.DataTransfer);

/** Puts a recorder in front of the field. @param {HTMLInputElement} field @param {() => Words} words */
export function attach(field, words) {
  if (!canRecord()) return;
  const box = document.createElement('div');
  box.className = 'recorder';
  const button = document.createElement('button');
  button.type = 'button';
  button.className = 'btn';
  button.textContent = words().record;
  const said = document.createElement('p');
  said.className = 'hint';
  said.setAttribute('role', 'status');
  box.append(button, said);
  const before = field.previousElementSibling; // the citizen's page finds the answer's own field right in front of this one
  (before && /** @type {HTMLInputElement} */ (before).type === 'hidden' ? before : field).before(box);
  /** @type {MediaRecorder | null} */ let running = null;
  button.addEventListener('click', async () => {
    if (running) {
      running.stop();
      return;
    }
    button.disabled = true;
    try {
      running = await begin(said, (made) => {
        running = null;
        button.textContent = words().again;
        button.classList.remove('on');
        done(field, box, said, made, words());
      }, words());
      button.textContent = words().stop;
      button.classList.add('on');
    } catch (error) {
      said.textContent = words().refused;
    }
    button.disabled = false;
  });
}

/** @param {HTMLElement} said @param {(made: {blob: Blob, seconds: number}) => void} finished @param {Words} words */
async function begin(said, finished, words) {
  const stream = await navigator.mediaDevices.getUserMedia({ audio: { channelCount: 1, noiseSuppression: true } });
  const mimeType = TYPES.find((type) => MediaRecorder.isTypeSupported(type));
  const recorder = new MediaRecorder(stream, { mimeType, audioBitsPerSecond: BITS_PER_SECOND });
  /** @type {Blob[]} */ const parts = [];
  const began = Date.now();
  let bytes = 0;
  const seconds = () => Math.round((Date.now() - began) / 1000);
  recorder.addEventListener('dataavailable', ({ data }) => {
    parts.push(data);
    bytes += data.size;
    said.textContent = sized(words.said, seconds(), bytes);
    if (seconds() >= LONGEST_SECONDS && recorder.state === 'recording') recorder.stop();
  });
  recorder.addEventListener('stop', () => {
    stream.getTracks().forEach((track) => track.stop());
    finished({ blob: new Blob(parts, { type: (recorder.mimeType || '').split(';')[0] }), seconds: seconds() });
  });
  // the page goes, or the screen: what was said so far is kept
  addEventListener('pagehide', () => { if (recorder.state === 'recording') recorder.stop(); }, { once: true });
  recorder.start(1000);
  return recorder;
}

/** @param {string} words @param {number} seconds @param {number} bytes */
const sized = (words, seconds, bytes) => words.replace('{s}', String(seconds)).replace('{kb}', String(Math.ceil(bytes / 1000)));

/** Puts the recording into the field, and a player beside it.
 * @param {HTMLInputElement} field @param {HTMLElement} box @param {HTMLElement} said
 * @param {{blob: Blob, seconds: number}} made @param {Words} words */
function done(field, box, said, { blob, seconds }, words) {
  const held = new DataTransfer();
  held.items.add(new File([blob], 'voz.' + (blob.type.split('/')[1] || 'webm'), { type: blob.type }));
  field.files = held.files;
  said.textContent = sized(words.said, seconds, blob.size);
  listen(box, blob, words.listen);
  field.dispatchEvent(new Event('change', { bubbles: true }));
}

/** @param {HTMLElement} box @param {Blob} blob @param {string} words */
function listen(box, blob, words) {
  const old = box.querySelector('audio');
  const player = old || document.createElement('audio');
  if (old) URL.revokeObjectURL(old.src);
  player.controls = true;
  player.setAttribute('aria-label', words);
  player.src = URL.createObjectURL(blob);
  box.append(player);
}

const list = /** @type {HTMLElement | null} */ (document.querySelector('[data-recorder]'));
if (list) {
  const words = JSON.parse(list.dataset.recorder || '{}');
  for (const field of /** @type {NodeListOf<HTMLInputElement>} */ (list.querySelectorAll('[data-record]'))) attach(field, () => words);
}
