// A training run in Chromium and Firefox: kept through a reload, told on the other tabs, its files opened again.

import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { syntheticFundus } from "@saunet/data";
import { writePng } from "@saunet/data/files";
import { checkpointWeights, readWeights, saUNetV2 } from "@saunet/model";
import type { Page } from "playwright-core";
import { afterAll, beforeAll, expect, it } from "vitest";
import { complaintsOf, openSite, type Site, sharedPage } from "../testing.ts";
import { describeInBrowsers, launched, savedBy } from "../testing-browsers.ts";

const ROOT = fileURLToPath(new URL("../../../..", import.meta.url));
const own = [1, 2, 3].flatMap((n) => [`eye-${n}.png`, `eye-${n}_mask.png`]);

let site: Site;
let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-weights-"));
  for (const n of [1, 2, 3]) {
    const { image, vessels } = syntheticFundus({ seed: 30 + n, width: 160, height: 120 });
    await writePng(join(folder, `eye-${n}.png`), image);
    await writePng(join(folder, `eye-${n}_mask.png`), vessels);
  }
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});

const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });
/** Its label is the name of the file that was opened last. */
const startFile = (page: Page) =>
  page.getByRole("region", { name: "Plan" }).locator("input[type=file][accept='.safetensors']");
const stepOf = async (page: Page) => Number(await page.getByTestId("step").textContent());
const until = (page: Page, step: number) =>
  expect.poll(() => stepOf(page), { timeout: 120_000 }).toBeGreaterThan(step);

/** What the metadata of the kept checkpoint says. */
const keptState = (page: Page): Promise<{ position: { step: number }; learningRate: number }> =>
  page.evaluate(async () => {
    const result = <T>(request: IDBRequest<T>) =>
      new Promise<T>((resolve, reject) => {
        request.onsuccess = () => resolve(request.result);
        request.onerror = () => reject(request.error);
      });
    const database = await result(indexedDB.open("keyval-store"));
    const { checkpoint } = await result(
      database.transaction("keyval").objectStore("keyval").get("saunet-run"),
    );
    database.close();
    const bytes = checkpoint as Uint8Array;
    const length = Number(new DataView(bytes.buffer, bytes.byteOffset).getBigUint64(0, true));
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length)));
    return JSON.parse(header.__metadata__.state);
  });

describeInBrowsers("training", ({ name: browserName, launch }) => {
  const browser = launched(launch);

  const complaints: string[] = [];
  /** The third tab; the tests end with nothing learned. */
  const shared = sharedPage(async () => {
    const page = await (await browser().newContext()).newPage();
    complaintsOf(page, complaints);
    await page.goto(`${site.isolated}#train`);
    return page;
  });

  it("is kept through a reload, told on other tabs, and its weights open again", async () => {
    const page = await shared();
    await button(page, "Train").click({ timeout: 60_000 });
    await until(page, 3);
    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByRole("link", { name: "Train here is running" }).waitFor();
    await expect.poll(() => page.title()).toMatch(/^step \d+ · Segment · saunet$/);
    await page.getByRole("link", { name: "Train here" }).click();
    // It counts from the next step on.
    await page.getByLabel("Learning rate").fill("7");
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const held = await stepOf(page);
    await page.getByText(`This browser keeps the run up to step ${held};`).waitFor();
    const { position, learningRate } = await keptState(page);
    expect(position.step).toBe(held);
    expect(learningRate).toBeCloseTo(0.0007, 8);

    await page.reload();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    expect(await stepOf(page)).toBe(held);
    expect(await page.getByLabel("Learning rate").inputValue()).toBe("7");
    await button(page, "Resume").click();
    await until(page, held);
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const weights = await savedBy(page, () => button(page, "Weights").click());
    const path = join(folder, `${browserName}-${weights.name}`);
    await writeFile(path, weights.bytes);

    await button(page, "Reset").click();
    await expect.poll(() => stepOf(page)).toBe(0);
    await startFile(page).setInputFiles(path);
    await expect.poll(() => page.getByLabel("A file").isChecked()).toBe(true);
    await button(page, "Train").click();
    await until(page, 1);
    await button(page, "Reset").click();

    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByLabel("Open weights").first().setInputFiles(path);
    await page.getByText(`Weights: ${browserName}-${weights.name}`).waitFor({ timeout: 60_000 });
    await page.getByRole("link", { name: "Train here" }).click();
    await page.getByLabel("Fresh numbers").check();
    expect(complaints).toEqual([]);
  });

  it("learns from photographs of one's own, one held out, also after a reload", async () => {
    const page = await shared();
    await button(page, "Train").and(page.locator(":enabled")).waitFor({ timeout: 60_000 });
    expect(await page.getByLabel("My photographs").isDisabled()).toBe(true);
    await page.getByLabel("Add photographs and masks").setInputFiles(own.map((name) => join(folder, name)));
    await expect
      .poll(() => page.getByTestId("material").textContent(), { timeout: 120_000 })
      .toBe("3 photographs with a mask of the vessels.");
    await page.getByLabel("My photographs").check();
    await page.getByText("2 to learn from").waitFor();
    expect(await page.getByLabel("Hold out").locator("option:checked").textContent()).toBe("eye-3.png");
    await page.getByLabel("Learning rate").fill("20");
    await button(page, "Train").click({ timeout: 60_000 });
    await until(page, 3);
    await page.getByText("It learns from 2 photographs of yours.").waitFor();
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const held = await stepOf(page);
    await page.getByText(`keeps the run up to step ${held};`).waitFor();

    await page.reload();
    await button(page, "Resume").click({ timeout: 60_000 });
    await until(page, held);
    await page.getByText("It learns from 2 photographs of yours.").waitFor();
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const { bytes } = await savedBy(page, () => button(page, "Weights").click());
    const { metadata } = readWeights(new Uint8Array(bytes));
    expect(metadata.training).toBe(`${await stepOf(page)} steps on 2 photographs, in a browser`);
    expect(metadata.scale).toBe("auto");
    await button(page, "Reset").click();
    await page.getByLabel("Synthetic photographs").check();
    expect(complaints).toEqual([]);
  });

  it("hands the command weights and a checkpoint, and takes the command's checkpoint up", async () => {
    // Not what another attempt has left.
    const empty = await mkdtemp(join(folder, "command-"));
    const run = join(empty, "run");
    const command = async (...args: string[]) =>
      promisify(execFile)(process.execPath, [join(ROOT, "scripts/saunet.mjs"), ...args], { cwd: ROOT });
    const plan = ["--epochs", "1", "--steps", "60", "--crop", "32", "--batch", "1", "--picture-size", "64"];
    await command("train", "--dataset", "synthetic", ...plan, "--validation", "0", "--no-report", "-o", run);

    const page = await shared();
    await button(page, "Train").click({ timeout: 60_000 });
    await until(page, 1);
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const held = await stepOf(page);
    expect(held).toBeLessThan(60);
    const weights = await savedBy(page, () => button(page, "Weights").click());
    const checkpoint = await savedBy(page, () => button(page, "Checkpoint").click());
    expect(checkpoint.name).toBe("checkpoint.safetensors");
    const path = join(empty, "own.safetensors");
    await writeFile(path, weights.bytes);
    const out = join(empty, "out");
    await command("segment", join(folder, own[0]), "--weights", path, "-o", out);
    expect((await readFile(join(out, "eye-1-mask.png"))).length).toBeGreaterThan(0);

    // The command's own run was over; with the page's checkpoint it goes on from the page's step.
    const there = join(run, "checkpoint.safetensors");
    const commands = await readFile(there);
    expect(checkpointWeights(new Uint8Array(commands)).config).toEqual(saUNetV2);
    await writeFile(there, checkpoint.bytes);
    await command("train", "--resume", run);
    const log = (await readFile(join(run, "log.jsonl"), "utf8")).trim().split("\n");
    const steps = log.map((line) => JSON.parse(line)).filter(({ kind }) => kind === "step");
    expect(steps.map(({ step }) => step)).toEqual(Array.from({ length: 60 }, (_, i) => i + 1));
    expect(await readFile(there)).not.toEqual(checkpoint.bytes);

    await button(page, "Reset").click();
    const theirs = join(empty, "commands.safetensors");
    await writeFile(theirs, commands);
    await startFile(page).setInputFiles(theirs);
    await button(page, "Train").click();
    await until(page, 60);
    await button(page, "Reset").click();
  });

  // Playwright reaches into workers in Chromium alone.
  it.runIf(browserName === "Chromium")("goes on in another engine where its own is stuck", async () => {
    const page = await (await browser().newContext()).newPage();
    await page.clock.install();
    await page.goto(`${site.isolated}#train`);
    await button(page, "Train").click({ timeout: 60_000 });
    await until(page, 1);
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const held = await stepOf(page);
    await page.getByText(`keeps the run up to step ${held};`).waitFor();
    await button(page, "Resume").click();
    await until(page, held);
    const worker = page.workers().find((each) => each.url().includes("train.worker"))!;
    // It never answers.
    void worker.evaluate(() => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0)).catch(() => {});
    await expect
      .poll(async () => {
        const before = await stepOf(page);
        await page.waitForTimeout(2000);
        return (await stepOf(page)) - before;
      })
      .toBe(0);
    await page.clock.fastForward(61_000);
    await page.clock.fastForward(21_000);
    await page
      .getByText(
        new RegExp(
          `^The engine was started anew at step \\d+, since .*; the run goes on from step ${held}\\.$`,
        ),
      )
      .waitFor({ timeout: 60_000 });
    await until(page, held + 1);
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const { position } = await keptState(page);
    expect(position.step).toBe(await stepOf(page));
    await page.context().close();
  });

  it("says so where a file is neither weights nor a checkpoint", async () => {
    const page = await shared();
    const path = join(folder, "wrong.safetensors");
    await writeFile(path, "no weights");
    await startFile(page).setInputFiles(path);
    await page.getByText(/^wrong\.safetensors cannot be started from: /).waitFor({ timeout: 60_000 });
    expect(await page.getByText("wrong.safetensors:").count()).toBe(0);
    await page.getByRole("link", { name: "Segment" }).click();
    await page.getByLabel("Open weights").first().setInputFiles(path);
    await page.getByText(/^wrong\.safetensors could not be used: /).waitFor({ timeout: 60_000 });
    await page.getByRole("link", { name: "Train here" }).click();
    await page.getByLabel("Fresh numbers").check();
  });

  it("warns before a tab closes whose steps are not kept", async () => {
    const page = await shared();
    await button(page, "Train").click({ timeout: 60_000 });
    await until(page, 1);
    // On a slow machine there are moments at which every step is kept.
    const isUnsaved = () => !dispatchEvent(new Event("beforeunload", { cancelable: true }));
    const close = async () => {
      await page.waitForFunction(isUnsaved, undefined, { polling: 20, timeout: 60_000 });
      const asked = page.waitForEvent("dialog");
      await page.close({ runBeforeUnload: true });
      return asked;
    };
    const first = await close();
    expect(first.type()).toBe("beforeunload");
    await first.dismiss();
    await until(page, await stepOf(page));
    const closed = page.waitForEvent("close");
    await (await close()).accept();
    await closed;
  });
});
