// `npm run exercise -- 3.2` checks the reader's answer to an exercise of the book. The first time it writes the file to
// begin with, exercises/3.2.ts, which git ignores.

import { existsSync, mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { install, root } from "./workspace.mjs";

install();
// Vite is there only once packages are installed.
const { openBook } = await import("./book/load.mjs");
const book = await openBook();
const { exerciseIds, exerciseOf, checkExercise } = await book.load("scripts/book/exercise.ts");
const id = process.argv[2];
if (id === undefined || process.argv.length > 3 || !exerciseIds().includes(id)) {
  console.error(`usage: npm run exercise -- NUMBER\nThere are ${exerciseIds().join(", ")}.`);
  process.exit(2);
}
const file = `exercises/${id}.ts`;
if (!existsSync(join(root, file))) {
  mkdirSync(dirname(join(root, file)), { recursive: true });
  writeFileSync(join(root, file), exerciseOf(id).start);
  console.log(`${file} is written. Complete its function, then run this again.`);
  await book.close();
  process.exit(0);
}
const fault = await book.load(file).then(
  (module) => checkExercise(id, module),
  (error) => error.message,
);
await book.close();
console.log(fault === undefined ? `${id} is right.` : `${id} is not right yet: ${fault}`);
process.exit(fault === undefined ? 0 : 1);
