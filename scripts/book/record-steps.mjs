// Runs record-steps.ts.

import { openBook } from "./load.mjs";

const book = await openBook();
await book.load("scripts/book/record-steps.ts");
await book.close();
