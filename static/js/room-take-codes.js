// @ts-check
/** Link codes of printed cards, read as collector/rooms/link_codes.py reads them: five letters and one that proves them. */

const SIGNS = '0123456789ABCDEFGHJKMNPQRSTVWXYZ*~$=U';
const LETTERS = 5;

/** @param {string} typed any case, with or without hyphen and blanks, O as 0, I and L as 1 @returns {string} six letters, '' for none */
export function linkCode(typed) {
  const code = typed.replace(/[\s-]/g, '').toUpperCase().replace(/O/g, '0').replace(/[IL]/g, '1');
  const numbers = Array.from(code.slice(0, LETTERS), (letter) => SIGNS.indexOf(letter));
  if (code.length !== LETTERS + 1 || numbers.some((number) => number < 0 || number > 31)) return '';
  return SIGNS[numbers.reduce((number, digit) => number * 32 + digit, 0) % 37] === code[LETTERS] ? code : '';
}
