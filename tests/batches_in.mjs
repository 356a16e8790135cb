// Batches of tasks on standard input: their number on a line of its own, then one JSON a line; again and again.
import { createInterface } from "node:readline";

export async function* batchesIn() {
  let wanted = 0;
  let tasks = [];
  for await (const line of createInterface({ input: process.stdin })) {
    if (!wanted) wanted = Number(line);
    else tasks.push(JSON.parse(line));
    if (tasks.length < wanted) continue;
    yield tasks;
    [wanted, tasks] = [0, []];
  }
}
