// @ts-check
/**
 * now() for forms that only keep its text, as the consent notice does, and so load no functions.js. The same text as
 * in Python: moment_text() of values.py.
 */
import { calls } from './engine.js';

calls.now = ({ now: [instant, offset] }) => {
  const local = new Date(instant + offset * 6e4).toISOString();
  const zone = new Date(Math.abs(offset) * 6e4).toISOString().slice(11, 16);
  return offset ? local.replace('Z', (offset < 0 ? '-' : '+') + zone) : local;
};
