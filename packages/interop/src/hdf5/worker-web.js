import { readTree } from "./tree.js";

addEventListener("message", ({ data: { bytes, skip } }) => postMessage(readTree(bytes, skip)));
postMessage("ready");
