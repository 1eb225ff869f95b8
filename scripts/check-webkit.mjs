// The page in WebKit: `npm run check:webkit`, where Debian's packages webkit2gtk-driver (WebKitGTK's MiniBrowser and its
// WebDriver) and xvfb are installed. playwright-core drives only a WebKit of its own, so this speaks WebDriver itself, and
// checks what a person would see first: a photograph is segmented, the second tab shows its layers, and a training learns.

import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findBrowser } from "./browsers.mjs";
import { install, root, run } from "./workspace.mjs";

const [DRIVER_PORT, DISPLAY] = [4477, ":77"];
const MINI_BROWSER = ["4.1", "6.0", "4.0"]
  .flatMap((version) =>
    ["x86_64", "aarch64"].map((cpu) => `/usr/lib/${cpu}-linux-gnu/webkit2gtk-${version}/MiniBrowser`),
  )
  .find(existsSync);
const programOf = (name, program) => findBrowser({ name, variable: "", programs: [program], elsewhere: [] });
const [driver, screen] = [programOf("WebKit", "WebKitWebDriver"), programOf("Xvfb", "Xvfb")];
if (MINI_BROWSER === undefined || driver === undefined || screen === undefined) {
  console.error("check:webkit: WEBKIT IS NOT CHECKED: install Debian's webkit2gtk-driver and xvfb");
  process.exit(2);
}

install();
const web = join(root, "packages/web");
const folder = mkdtempSync(join(tmpdir(), "saunet-webkit-"));
const args = ["build", "--logLevel", "error", "--outDir", folder, "--emptyOutDir"];
if (run(join(web, "node_modules/.bin/vite"), args, { cwd: web }) !== 0) process.exit(1);
const { preview } = await import("vite");
const server = await preview({
  root: web,
  logLevel: "silent",
  build: { outDir: folder },
  preview: { port: 0 },
});
const processes = [
  spawn(screen, [DISPLAY, "-screen", "0", "1280x900x24"], { stdio: "ignore" }),
  spawn(driver, [`--port=${DRIVER_PORT}`], { stdio: "ignore", env: { ...process.env, DISPLAY } }),
];

/** A command of WebDriver (W3C). */
async function command(method, path, body) {
  const answer = await fetch(`http://127.0.0.1:${DRIVER_PORT}${path}`, {
    method,
    body: body && JSON.stringify(body),
  });
  const { value } = await answer.json();
  if (!answer.ok) throw new Error(`${path}: ${value.message}`);
  return value;
}

/** Tries again and again until something holds. */
async function until(what, seconds, attempt) {
  const deadline = Date.now() + 1000 * seconds;
  for (;;) {
    const value = await attempt().catch(() => undefined);
    if (value) return value;
    if (Date.now() > deadline) throw new Error(`${what}: not within ${seconds} s`);
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

let failure;
try {
  const capabilities = {
    alwaysMatch: { "webkitgtk:browserOptions": { binary: MINI_BROWSER, args: ["--automation"] } },
  };
  const { sessionId, ...session } = await until("the driver starts", 20, () =>
    command("POST", "/session", { capabilities }),
  );
  const at = `/session/${sessionId}`;
  const evaluate = (script) =>
    command("POST", `${at}/execute/sync`, { script: `return ${script}`, args: [] });
  const there = (what, seconds, script) => until(what, seconds, () => evaluate(script));
  await command("POST", `${at}/url`, { url: server.resolvedUrls.local[0] });
  await there(
    "a photograph is segmented",
    180,
    `document.querySelector('[aria-label="synthetic.png, segmented"]') !== null`,
  );
  const f1 = Number(
    await there("it has its figures", 20, `document.querySelector("[data-testid=f1]")?.textContent`),
  );
  if (!(f1 > 0.5)) throw new Error(`F1 on the synthetic photograph should be above 0.5 but is ${f1}`);
  await evaluate(`void (location.hash = "#inside/encoder2.conv1/12?x=40&y=31")`);
  const row = "Row 31, column 40, channel 12 of encoder 2, unit 1.";
  await there("a number is taken apart", 180, `document.body.textContent.includes("${row}")`);
  await evaluate(`void (location.hash = "#train")`);
  const train = `[...document.querySelectorAll("button:enabled")].find((each) => each.textContent.trim() === "Train")`;
  await there("a training can begin", 60, `${train} !== undefined && (${train}.click(), true)`);
  await there("it learns", 180, `Number(document.querySelector("[data-testid=step]")?.textContent) > 1`);
  const threads = await evaluate(`document.querySelector("[data-testid=threads]").textContent`);
  console.log(
    `check:webkit: ${session.capabilities.browserName} ${session.capabilities.browserVersion}, threads: ${threads}, F1 ${f1}`,
  );
  await command("DELETE", at);
} catch (error) {
  failure = error;
  console.error(`check:webkit: ${error.message}`);
}
for (const each of processes) each.kill();
await server.close();
rmSync(folder, { recursive: true, force: true });
process.exit(failure === undefined ? 0 : 1);
