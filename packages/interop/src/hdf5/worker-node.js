import "./surroundings.js";

import { parentPort } from "node:worker_threads";
import { readTree } from "./tree.js";

parentPort?.on("message", async ({ bytes, skip }) => parentPort?.postMessage(await readTree(bytes, skip)));
parentPort?.postMessage("ready");
