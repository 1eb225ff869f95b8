import "./surroundings.js";

import { readTree } from "./tree.js";

addEventListener("message", async ({ data: { bytes, skip } }) => postMessage(await readTree(bytes, skip)));
postMessage("ready");
