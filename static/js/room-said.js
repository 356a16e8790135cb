// @ts-check
/**
 * From the fields of a form on a phone to what is said: the same as collector/rooms/given.py. Pure of DOM. What is here
 * not looked at (the ends of a scale) the node looks at when it comes.
 *
 * @typedef {{what: string, payload: Object<string, any>, ref?: string}} Said
 */

const ALPHABET = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';
const SIGNS = ALPHABET + '*~$=U'; // the last of a link code proves the others
const STONE = 10;
const LACKS = new Error('something is missing');

/**
 * What a form says; null where something is missing or mistyped.
 * @param {string} what @param {URLSearchParams} fields @param {number} round @returns {Said[] | null}
 */
export function saidIn(what, fields, round) {
  try {
    if (what === 'measure') return measures(fields, round);
    const read = READERS[what];
    return read ? [{ what, ...read(fields) }] : null;
  } catch (error) {
    if (error === LACKS) return null;
    throw error;
  }
}

/** @type {Object<string, (fields: URLSearchParams) => {payload: Object<string, any>, ref?: string}>} */
const READERS = {
  vote: (fields) => ({ payload: { choice: one(fields, 'choice') }, ref: one(fields, 'ref') }),
  statement: (fields) => ({ payload: texts(fields, ['text']) }),
  allocation: (fields) => ({ payload: { points: filled(numbers(fields, 'points.')) } }),
  rank: (fields) => ({ payload: { order: places(fields) } }),
  triad: (fields) => ({ payload: fields.get('na') ? { na: true } : triad(fields) }),
  dyad: (fields) => ({ payload: fields.get('value') === 'na' ? { na: true } : { value: whole(one(fields, 'value')) } }),
  iceberg: (fields) => ({ payload: { ...texts(fields, ['text']), level: one(fields, 'level') } }),
  link: (fields) => ({ payload: { to: one(fields, 'to'), relation: one(fields, 'relation') }, ref: one(fields, 'ref') }),
  placement: (fields) => ({ payload: { group: tidy(fields.get('new')) || tidy(fields.get('group')) }, ref: one(fields, 'ref') }),
  score: (fields) => ({ payload: score(fields) }),
  expectation: (fields) => ({ payload: texts(fields, ['actor', 'text'], ['sector']) }),
  resource: (fields) => ({ payload: { ...texts(fields, ['actor', 'text'], ['sector', 'position']), kind: one(fields, 'kind') } }),
  commitment: (fields) => ({ payload: texts(fields, ['actor', 'text'], ['sector', 'position', 'by_when']) }),
  objection: (fields) => ({ payload: { position: one(fields, 'position'), ...texts(fields, ['reason']) } }),
  agreement: (fields) => ({ payload: texts(fields, ['what', 'who'], ['with_what', 'by_when', 'review']) }),
  selection: (fields) => ({ payload: texts(fields, ['reason', 'level']), ref: one(fields, 'ref') }),
};

/** @param {string | null} text @returns {string} without blanks around it and without U+0000 */
const tidy = (text) => (text || '').replace(/\0/g, ' ').replace(/\r\n/g, '\n').trim();

/** @param {URLSearchParams} fields @param {string} key @returns {string} */
function one(fields, key) {
  const value = fields.get(key);
  if (!value) throw LACKS;
  return value;
}

/** @param {URLSearchParams} fields @param {string[]} required @param {string[]} [optional] @returns {Object<string, string>} */
function texts(fields, required, optional = []) {
  const found = Object.fromEntries([...required, ...optional].map((key) => [key, tidy(fields.get(key))]));
  if (required.some((key) => !found[key])) throw LACKS;
  return Object.fromEntries(Object.entries(found).filter(([, text]) => text));
}

/** @param {string} typed @returns {number} */
function whole(typed) {
  if (!/^-?\d{1,8}$/.test(typed.trim())) throw LACKS;
  return Number(typed);
}

/** The filled fields whose names begin so, in the order of the form. @param {URLSearchParams} fields @param {string} prefix @returns {[string, number][]} */
function given(fields, prefix) {
  return [...fields].filter(([key, value]) => key.startsWith(prefix) && value).map(([key, value]) => [key.slice(prefix.length), whole(value)]);
}

/** @param {URLSearchParams} fields @param {string} prefix @returns {Object<string, number>} */
const numbers = (fields, prefix) => Object.fromEntries(given(fields, prefix));

/** @param {Object<string, number>} points @returns {Object<string, number>} those that are more than none */
function filled(points) {
  const some = Object.entries(points).filter(([, count]) => count);
  if (!some.length) throw LACKS;
  return Object.fromEntries(some);
}

/** @param {URLSearchParams} fields @returns {string[]} */
function places(fields) {
  const order = [...fields].filter(([key, value]) => key.startsWith('place.') && value).map(([, value]) => value);
  if (!order.length || new Set(order).size < order.length) throw LACKS;
  return order;
}

/** @param {URLSearchParams} fields @returns {Object<string, number>} */
function triad(fields) {
  const [a, b, c] = given(fields, 'points.').map(([, stones]) => stones);
  if ((a + b + c) * STONE !== 100) throw LACKS;
  return { a: a * STONE, b: b * STONE, c: c * STONE };
}

/** @param {URLSearchParams} fields @returns {Object<string, any>} */
function score(fields) {
  const target = one(fields, 'target');
  if (fields.get('conflict')) return { target, conflict: true };
  const asked = [...fields.keys()].filter((key) => key.startsWith('criteria.'));
  asked.forEach((key) => one(fields, key));
  return { target, criteria: numbers(fields, 'criteria.'), ...texts(fields, [], ['reason']) };
}

/** One measure for each item that was answered. @param {URLSearchParams} fields @param {number} round @returns {Said[]} */
function measures(fields, round) {
  const code = linkCode(fields.get('code') || '');
  const values = Object.entries(numbers(fields, 'item.'));
  if (!values.length) throw LACKS;
  return values.map(([item, value]) => ({ what: 'measure', payload: { code, item, value, round } }));
}

/** @param {string} typed @returns {string} the six letters; any one wrong letter is noticed */
function linkCode(typed) {
  const code = typed.replace(/[\s-]/g, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1');
  const letters = Array.from(code.slice(0, 5), (letter) => ALPHABET.indexOf(letter));
  const proof = SIGNS[letters.reduce((rest, number) => (rest * 32 + number) % 37, 0)];
  if (code.length !== 6 || letters.includes(-1) || code[5] !== proof) throw LACKS;
  return code;
}
