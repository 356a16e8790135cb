// What a phone's scripts make of the fields of a form in a room, and the records they make; see
// rooms/test_phone_scripts.py, which compares.
import { writeSync } from "node:fs";
import { batchesIn } from "./batches_in.mjs";

// outbox.js listens to other tabs, and a node that listens does not end
Object.assign(globalThis, { self: globalThis, BroadcastChannel: undefined, addEventListener() {} });
const { contribution } = await import("../static/js/room-records.js");
const { saidIn } = await import("../static/js/room-said.js");

const answers = {
  said: ({ what, fields, round }) => saidIn(what, new URLSearchParams(fields), round),
  made: ({ saying }) => contribution(saying),
};

for await (const tasks of batchesIn()) {
  writeSync(1, tasks.map((task) => JSON.stringify(answers[task.ask](task)) + "\n").join(""));
}
