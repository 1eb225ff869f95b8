// What the command loads. There is no other API: programs that segment use @saunet/model.

export { run } from "./program.ts";
