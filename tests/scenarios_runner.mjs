// Carries out the steps of scenarios with the modules the page loads, and tells what is seen at each; see scenarios.py,
// which compares.
import { writeSync } from "node:fs";
import "../static/js/functions.js";
import "../static/js/functions-rare.js";
import "../static/js/digest.js";
import { open } from "../static/js/rows.js";
import { batchesIn } from "./batches_in.mjs";

class CannotDo extends Error {}

/** The row a place stands in. whole: its last repeat is meant as a whole. */
function rowOf(state, { through, node, error }, whole) {
  if (error) throw new CannotDo(error);
  let row = state.root;
  for (const [repeat, position] of through) {
    if (whole && repeat === node) return row;
    row = position === null ? undefined : row.rows[repeat][position];
    if (!row) throw new CannotDo("no such row");
  }
  return row;
}

const isOn = (row) => !row || (row.on && isOn(row[0]));

/** Relevance of a place with all that is around it. */
function takesPart(data, { node, around }, row) {
  if (!isOn(row)) return false;
  const last = node >= 0 ? node : around;
  return last < 0 || last === row.at || data.nodes[last].p !== (row.at < 0 ? undefined : row.at)
    ? true : row.relevant[last] && (data.nodes[last].g || []).every((group) => row.relevant[group]);
}

const steps = {
  set: (state, data, place, [, text]) => state.set(place.node, text, rowOf(state, place)),
  add_repeat: (state, data, place) => { state.addRow(place.node, rowOf(state, place, true)); },
  remove_repeat(state, data, place) {
    const row = rowOf(state, place);
    state.removeRow(place.node, row[0].rows[row.at].indexOf(row), row[0]);
  },
  language: (state, data, place, name) => state.speak(name),
  expect_value(state, data, place) {
    const row = rowOf(state, place);
    if (row.raw[place.node] === undefined) throw new CannotDo("no such question");
    return isOn(row) && row.relevant[place.node] ? row.raw[place.node] : "";
  },
  expect_relevant: (state, data, place) => takesPart(data, place, rowOf(state, place)),
  expect_required: (state, data, place) => state.isRequired(place.node, rowOf(state, place)),
  expect_readonly: (state, data, place) => state.isReadonly(place.node, rowOf(state, place)),
  expect_valid(state, data, place) {
    const row = rowOf(state, place);
    if (place.node >= 0 && data.nodes[place.node].t) return !state.problem(place.node, row);
    return !state.problems(row).some(([node]) => place.inside.includes(node));
  },
  expect_message: (state, data, place) => state.message(place.node, rowOf(state, place)),
  expect_choices(state, data, place) {
    const row = rowOf(state, place);
    const names = state.choices(place.node, row);
    const labels = state.choiceLabels(place.node, row);
    return [names, names.map((name) => labels[name] || name)];
  },
  expect_label: (state, data, place) => state.say(data.nodes[place.node].L, rowOf(state, place)),
  expect_count: (state, data, place) => rowOf(state, place, true).rows[place.node].length,
  expect_submission_xml: (state) => state.answers(),
};

function play({ id, data, now, lang, steps: todo }) {
  const seen = [];
  let state;
  try {
    state = open(data, now, data.codes[lang] || lang, lang);
  } catch (error) {
    return { id, seen: [{ error: String(error) }] };
  }
  for (const { key, given, place } of todo) {
    try {
      if (!steps[key]) throw new CannotDo(`unknown step ${key}`);
      const got = steps[key](state, data, place, given);
      seen.push({ got: got === undefined ? null : got });
    } catch (error) {
      seen.push({ error: String(error.message) });
      break;
    }
  }
  return { id, seen };
}

for await (const tasks of batchesIn()) {
  // written at once: what was played is told though a later one should end the process
  for (const task of tasks) writeSync(1, `${JSON.stringify(play(task))}\n`);
}
