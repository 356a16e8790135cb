// @ts-check
/** The door of a room: what this browser still holds from before is sent, whoever comes in now. */
import { drain } from './outbox.js';

drain();
