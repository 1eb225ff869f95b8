import { parentPort } from "node:worker_threads";
import { readTree } from "./tree.js";

parentPort?.on("message", ({ bytes, skip }) => parentPort?.postMessage(readTree(bytes, skip)));
parentPort?.postMessage("ready");
