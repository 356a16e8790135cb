// @ts-check
/**
 * A form with repeats, actions or texts that show answers, being filled in. Pure of DOM; the same rules as
 * forms/state.py. The page loads it instead of state.js where its JSON says so ("engine"); settling.js keeps order.
 *
 * @typedef {import('./settling.js').IR} IR
 * @typedef {import('./settling.js').Text} Text
 * @typedef {import('./settling.js').Row} Row
 * @typedef {import('./settling.js').RowNode} RowNode
 * @typedef {import('./settling.js').RowForm} RowForm
 */
import { storedText, toText } from './engine.js';
import { evaluateNodes, register } from './functions.js';
import { MAX_ROWS, chosen, settling } from './settling.js';
import { fits, tidy } from './state.js';

const OUTPUT = /\ufffc(\d+)\ufffc/g;
const PLACE = '-?\\d{1,3}(\\.\\d+)? -?\\d{1,3}(\\.\\d+)?( -?\\d+(\\.\\d+)?){0,2}';
const CLOCK = '([01]\\d|2[0-3]):[0-5]\\d(:[0-5]\\d(\\.\\d{1,9})?)?(Z|[+-]\\d{2}(:?\\d{2})?)?';
const LINE = `${PLACE}( ?; ?${PLACE})*( ?;)?`;
/** What state.js does not ask. @type {Object<string, string>} */
const SHAPES = {
  range: '-?(\\d+\\.?\\d*|\\.\\d+)', time: CLOCK, datetime: `\\d{4}-\\d\\d-\\d\\d(T${CLOCK})?`,
  geopoint: PLACE, geotrace: LINE, geoshape: LINE, acknowledge: 'OK',
};

/** What is asked for a year or a month is stored as a date. @param {RowNode} node @param {string} text */
function whole(node, text) {
  if (node.t === 'range') return text.replace(',', '.');
  return node.y && /^\d{4}(-\d\d)?$/.test(text) ? text + '-01-01'.slice(text.length - 4) : text;
}

/** A range has its ends, a rank each choice once. @param {RowNode} node @param {string} value @returns {boolean} */
const isOrdered = (node, value) => node.t === 'range' ? !node.u || (+value >= node.u[0] && +value <= node.u[1])
  : node.t !== 'rank' || new Set(value.split(/\s+/)).size === value.split(/\s+/).length;

/** @param {RowNode} node @param {string} value @returns {boolean} */
const suits = (node, value) => (value.length <= 20000 || [...value].length <= 20000) && fits(node, value) && isOrdered(node, value)
  && (!SHAPES[node.t] || new RegExp(`^(${SHAPES[node.t]})$`).test(value))
  && (node.t !== 'datetime' || fits({ ...node, t: 'date' }, value.slice(0, 10)));

register({
  'jr:choice-name': (env, value, path) => env.choiceLabel(path, toText(value), env.row),
  'jr:itext': (env, id) => env.textOf(toText(id)),
});

/**
 * @param {RowForm} form @param {[number, number]} now epoch ms, offset in minutes
 * @param {string} lang code of the language @param {string} [language] its name in the form
 */
export function open(form, now, lang, language) {
  const { nodes } = form;
  const {
    root, env, inLevel, allRows, append, born, cut, keep, rest, settle, finish, ask, truth, choices, start, quietly,
  } = settling(form, now, lang, nameOfChoice, textById);

  /** @param {number} i @param {Row} row @returns {Text} name -> label in the language now */
  function choiceLabels(i, row = root) {
    const { w, l, F } = nodes[i];
    /** @type {Text} */
    const labels = {};
    if (w) {
      env.row = row;
      for (const each of evaluateNodes(w[0], env)) if (each[w[1]]) labels[each[w[1]]] = each[w[2]] || each[w[1]];
      return labels;
    }
    // of choices with one name the filter says which is meant
    for (const n of [...F ? [...ask(F, row)].sort((a, b) => a - b) : [], ...form.choices[l || ''].keys()]) {
      const name = form.choices[l || ''][n];
      if (!(name in labels)) labels[name] = say(form.labels[l || ''][n], row) || name;
    }
    return labels;
  }

  /** The place chosen from the list: its code, then what was written. @param {number} i @param {Row} row */
  const listed = (i, row = root) => (row.listed || {})[i] || '';

  /** @param {number} i @param {Row} row @param {string} value @returns {string} */
  function misfit(i, row, value) {
    const node = nodes[i];
    if (!value) return !listed(i, row) && truth(node.q, row, false) ? 'required' : '';
    if (!suits(node, value)) return 'type';
    return node.l && !chosen(node, value).every((name) => choices(i, row).includes(name)) ? 'choice' : '';
  }

  /** Nobody can put right what stands where people cannot write: only its constraint counts.
   * @param {number} i @param {Row} row @returns {string} "", "required", "type", "choice" or "constraint" */
  function problem(i, row = root) {
    const node = nodes[i];
    if (!node.s || node.R || !row.relevant[i] || node.t === 'note' || node.t === 'calculate') return '';
    const value = row.raw[i];
    const found = misfit(i, row, value);
    if (found && !isClosed(i, row)) return found;
    return !value || truth(node.c, row, true) ? '' : 'constraint';
  }

  /** @param {Row} row @returns {[number, Row, string][]} what is wrong in a row and the rows inside it */
  const problems = (row = root) => [].concat(.../** @type {any} */ (allRows(row).map((each) =>
    inLevel[each.at].map((i) => [i, each, problem(i, each)]).filter(([, , found]) => found))));

  /** What is calculated is closed, unless it reads itself, as once() does. @param {number} i @param {Row} row */
  const isClosed = (i, row) => (nodes[i].x && !(form.own[i] || []).includes(i * 4)) || isReadonly(i, row);

  /** @param {number} i @param {Row} row @returns {boolean} */
  function isReadonly(i, row = root) {
    const here = [i, ...(nodes[i].g || [])].filter((each) => each !== row.at);
    if (here.some((each) => truth(nodes[each].e, row, false))) return true;
    return row.at >= 0 && (truth(nodes[row.at].e, row, false) || isReadonly(row.at, row[0]));
  }

  // -- texts

  /** @param {Text | undefined} text @param {Row} row @returns {string} in the language now, with the answers it shows */
  function say(text, row = root) {
    if (!text) return '';
    const name = env.language || Object.keys(form.codes).find((each) => form.codes[each] === env.lang) || form.langs[0];
    const found = [name, ...form.langs, ...Object.keys(text)].find((each) => text[each]);
    return found === undefined ? '' : text[found].replace(OUTPUT, (_, number) => form.outputs[number] ? output(form.outputs[number], row) : '');
  }

  /** @param {[number, IR]} output @param {Row | null} row @returns {string} */
  function output([level, ir], row) {
    while (row && row.at !== level) row = row[0];
    return row ? storedText(ask(ir, row)) : '';
  }

  /** @param {string} path @param {string} value @param {Row} row */
  function nameOfChoice(path, value, row) {
    const was = env.row;
    const i = nodes.findIndex((node) => node.P === path);
    const found = i < 0 || !nodes[i].l ? value : choiceLabels(i, row)[value] || value;
    env.row = was;
    return found;
  }

  /** @param {string} id */
  function textById(id) {
    const was = env.row;
    const found = say(form.names[id], was) || id;
    env.row = was;
    return found;
  }

  // -- the record

  /** @returns {Record<string, any>} relevant answers by key, empty ones left out; a repeat's rows as a list */
  const answers = (row = root) => {
    /** @type {Record<string, any>} */
    const given = {};
    for (const i of inLevel[row.at]) {
      const node = nodes[i];
      if (node.R) {
        const shown = row.rows[i].filter((each) => each.on);
        if (shown.length) given[node.k] = shown.map((each) => answers(each));
      } else if (node.s && row.relevant[i] && row.raw[i] && node.t !== 'note') given[node.k] = row.raw[i];
    }
    return given;
  };

  /** Places chosen from the list, by key with row numbers as in the answers. @returns {Record<string, {code: string, place?: string}>} */
  const places = (row = root, here = '') => {
    /** @type {Record<string, {code: string, place?: string}>} */
    const found = {};
    for (const i of inLevel[row.at]) {
      const node = nodes[i];
      const [code, ...words] = listed(i, row).split(' ');
      if (node.R) row.rows[i].filter((each) => each.on).forEach((each, n) => Object.assign(found, places(each, `${here}${node.k}[${n + 1}]/`)));
      else if (code && row.relevant[i]) found[here + node.k] = words.length ? { code, place: words.join(' ') } : { code };
    }
    return found;
  };

  /** @param {Row} row @param {Record<string, any>} given */
  function fillRow(row, given) {
    for (const i of inLevel[row.at]) {
      const node = nodes[i];
      const said = given[node.k];
      if (node.R && Array.isArray(said)) {
        cut(row, i, 0);
        for (const each of said.slice(0, MAX_ROWS)) fillRow(append(row, i), each);
      } else if (node.s && !node.R && node.t !== 'calculate' && typeof said === 'string') {
        row.raw[i] = tidy(node, said);
        if (row.relevant[i]) row[node.s] = row.raw[i];
      }
    }
  }

  // -- keeping

  /** @typedef {{v?: Object<string, string>, r?: Object<string, any[]>, l?: Object<string, string>}} Kept  texts, rows and
   * listed places by node, as on the node */
  /** @param {Row} row @returns {Kept} everything that is kept, relevant or not */
  function dump(row = root) {
    /** @type {Kept & {v: Object<string, string>, r: Object<string, any[]>}} */
    const kept = { v: {}, r: {}, ...(row.listed && { l: { ...row.listed } }) };
    for (const i of inLevel[row.at]) {
      if (nodes[i].R) kept.r[i] = row.rows[i].map(dump);
      else if (row.raw[i]) kept.v[i] = row.raw[i];
    }
    return kept;
  }

  /** @param {Row} row @param {Kept} kept */
  function restoreRow(row, kept) {
    row.listed = kept.l && { ...kept.l };
    for (const i of inLevel[row.at]) {
      if (nodes[i].R) {
        cut(row, i, 0);
        for (const each of (kept.r || {})[i] || []) restoreRow(append(row, i), each);
      } else if (nodes[i].s) {
        row.raw[i] = (kept.v || {})[i] || '';
        row[nodes[i].s] = row.relevant[i] ? row.raw[i] : null;
        if (row.raw[i]) row.drawn.add(i);
      }
    }
  }

  env.language = language;
  start();

  return {
    root, dump, raw: root.raw, relevant: root.relevant, env, settle, finish, problem, problems, choices, choiceLabels, answers,
    say, isReadonly, places, listed,
    /** @param {number} i @param {string} text @param {Row} row */
    list(i, text, row = root) { row.listed = { ...row.listed, [i]: text }; },
    /** @param {number} i @param {Row} row */
    isRequired: (i, row = root) => truth(nodes[i].q, row, false),
    /** @param {number} i @param {string} text @param {Row} row */
    set(i, text, row = root) {
      keep(i, row, whole(nodes[i], tidy(nodes[i], text)));
      rest();
    },
    /** @param {number} i @param {Row} parent @returns {Row} */
    addRow(i, parent = root) {
      const row = append(parent, i, nodes[i].z || {});
      born(row);
      rest();
      return row;
    },
    /** @param {number} i @param {number} index @param {Row} parent */
    removeRow(i, index, parent = root) {
      cut(parent, i, index, 1);
      rest();
    },
    /** @param {Record<string, any>} given */
    fill(given) {
      fillRow(root, given);
      settle();
    },
    /** @param {Kept} kept what `dump` gave */
    restore(kept) {
      restoreRow(root, kept);
      quietly(settle);
    },
    /** @param {string} name a language of the form */
    speak(name) {
      env.language = name;
      env.lang = form.codes[name] || name;
      settle();
    },
    /** The form's own words for what is wrong now, null when nothing is. @param {number} i @param {Row} row */
    message(i, row = root) {
      const found = problem(i, row);
      return found ? say((nodes[i].m || {})[found], row) : null;
    },
  };
}
