// `npm run fuzz:service`: `saunet serve` held against its own description by schemathesis (from PyPI, in an environment of its own).
// By hand: it wants Python 3.10 or newer. `openapi.test.ts` holds the service against the same description in every run.

import { spawn } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, root, run } from "./workspace.mjs";

const VERSION = "4.32.5";
const [examples = "50"] = process.argv.slice(2);
if (!/^[1-9]\d*$/.test(examples)) {
  console.error("usage: node scripts/fuzz-service.mjs [EXAMPLES]");
  process.exit(2);
}

const environment = join(root, "node_modules/.cache/schemathesis");
const schemathesis = join(environment, "bin/schemathesis");
if (!existsSync(schemathesis)) {
  mkdirSync(join(root, "node_modules/.cache"), { recursive: true });
  const code =
    run("python3", ["-m", "venv", environment]) ||
    run(join(environment, "bin/pip"), ["install", "--quiet", `schemathesis==${VERSION}`]);
  if (code !== 0) process.exit(code);
}

build();
const serve = ["serve", "--port", "0", "--threads", "1", "--max-pixels", "4000000"];
const service = spawn(process.execPath, [join(root, "packages/cli/dist/main.js"), ...serve], {
  cwd: tmpdir(),
});
const address = await new Promise((resolve, reject) => {
  let log = "";
  service.stdout.on("data", (text) => {
    log += text;
    const [, found] = /listening on (http:\S+?)"/.exec(log) ?? [];
    if (found !== undefined) resolve(found);
  });
  service.on("exit", (code) => reject(new Error(`saunet serve exited with ${code}: ${log}`)));
});
const config = join(root, "scripts/tools/fuzz/schemathesis.toml");
const code = run(schemathesis, [
  ...["--config-file", config, "run", `${address}/docs/json`, "--url", address],
  ...["--max-examples", examples, "--request-timeout", "60", "--seed", "1"],
]);
service.removeAllListeners("exit");
service.kill("SIGTERM");
process.exit(code);
