// Evaluates tasks with the modules the page loads; see conformance.py.
// The arguments name those besides the core, in the order in which the page loads them.
import { evaluate, storedText, toBoolean, toText } from "../static/js/engine.js";
import { batchesIn } from "./batches_in.mjs";

const [functions] = await Promise.all(process.argv.slice(2).map((name) => import("../static/js/" + name)));

/** Give every row its parent. */
function link(row, parent) {
  row[0] = parent;
  for (const held of row.slice(1)) if (Array.isArray(held)) held.forEach((inner) => link(inner, row));
  return row;
}

/** Ask for the value as the vector's type. */
function cast(value, type, offset) {
  if (type === "nodeset") return Array.isArray(value) ? value.map((node) => toText([node])) : [toText(value)];
  if (type === "boolean") return toBoolean(value);
  if (type.startsWith("stored ")) return storedText(value, type.slice(7), offset);
  if (type !== "number") return toText(value);
  const number = functions.toNumber(value, offset);
  return Number.isFinite(number) ? number : toText(number);
}

/** The same "random" numbers as conformance.py draws. */
function randomFrom(seed) {
  let state = seed;
  return () => ((state = (state * 16807) % 2147483647) - 1) / 2147483646;
}

function answer({ id, type, ir, root, place, now, lang, lists }) {
  let row = link(root, null);
  for (const [slot, index] of place) row = row[slot][index];
  const env = { row, now, lang, lists, random: randomFrom(1234) };
  try {
    return { id, value: cast(evaluate(ir, env), type, now[1]) };
  } catch (error) {
    return { id, error: String(error) };
  }
}

for await (const tasks of batchesIn()) {
  console.log(tasks.map((task) => JSON.stringify(answer(task))).join("\n"));
}
