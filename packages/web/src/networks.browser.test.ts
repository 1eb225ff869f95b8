// Other networks of the family in every place of the page, in Chromium and Firefox: as weights, as the checkpoint of a
// run, and what is said where they cannot be used.

import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { adam, randomState } from "@saunet/core";
import { syntheticFundus } from "@saunet/data";
import { writePng } from "@saunet/data/files";
import {
  countParameters,
  initialize,
  isCheckpointFile,
  type NetworkConfig,
  readWeights,
  saUNetV2,
  segmenterOf,
  uNet,
  withClasses,
  writeCheckpoint,
  writeWeights,
} from "@saunet/model";
import type { Page } from "playwright-core";
import sharp from "sharp";
import { afterAll, beforeAll, expect, it } from "vitest";
import { complaintsOf, openSite, type Site, sharedPage } from "./testing.ts";
import { describeInBrowsers, launched, savedBy } from "./testing-browsers.ts";

const SIZE = { width: 112, height: 88 };
const OWN: NetworkConfig = { ...uNet, name: "My U-Net", channels: [8, 12, 16] };
const EXPECTED = `My U-Net has ${countParameters(OWN).toLocaleString("en")} numbers`;
const eye = syntheticFundus({ seed: 8, ...SIZE });
const parameters = initialize(OWN, randomState(3));
const metadata = {};

let site: Site;
let folder: string;
const file = (name: string) => join(folder, name);

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-networks-"));
  await writePng(file("eye.png"), eye.image);
  await writePng(file("other.png"), syntheticFundus({ seed: 9, ...SIZE }).image);
  await writeFile(file("own.safetensors"), writeWeights({ config: OWN, parameters, metadata }));
  const state = { parameters, optimizer: adam(parameters), random: randomState(1) };
  const network = { config: OWN, metadata };
  await writeFile(file("run.safetensors"), writeCheckpoint({ ...state, network }, { step: 40 }));
  await writeFile(file("unnamed.safetensors"), writeCheckpoint(state, { step: 40 }));
  const classes = withClasses({ ...saUNetV2, channels: [8, 8] }, ["artery", "vein"]);
  await write("classes.safetensors", classes);
  await write("grey.safetensors", { ...OWN, inputChannels: 1 });
  site = await openSite();
});
afterAll(async () => {
  await site?.close();
  await rm(folder, { recursive: true, force: true });
});

const write = (name: string, config: NetworkConfig) =>
  writeFile(file(name), writeWeights({ config, parameters: initialize(config, randomState(1)), metadata }));

describeInBrowsers("networks", ({ launch }) => {
  const browser = launched(launch);

  const complaints: string[] = [];
  const shared = sharedPage(async () => {
    const page = await (await browser().newContext()).newPage();
    complaintsOf(page, complaints);
    await page.goto(site.isolated);
    await page.getByRole("button", { name: "synthetic.png, segmented" }).waitFor({ timeout: 60_000 });
    await page.getByLabel("Choose photographs").setInputFiles(file("eye.png"));
    await page.getByRole("button", { name: "eye.png, segmented" }).waitFor({ timeout: 60_000 });
    return page;
  });
  /** The address changes the tab a moment later: until then the one before has the button that is asked for next. */
  const openTab = async (page: Page, name: string) => {
    await page.getByRole("link", { name }).first().click();
    await page.locator("nav [aria-current=page]").filter({ hasText: name }).waitFor();
  };
  /** The one of the tab that is open. */
  const openWeights = (page: Page, name: string) =>
    page
      .locator("input[type=file][accept='.safetensors']")
      .filter({ visible: true })
      .setInputFiles(file(name));
  const says = (page: Page, text: string) =>
    page.getByText(text).filter({ visible: true }).first().waitFor({ timeout: 60_000 });
  const button = (page: Page, name: string) => page.getByRole("button", { name, exact: true });

  it("segments as the engine does, by weights and by a checkpoint", async () => {
    const page = await shared();
    const network = readWeights(writeWeights({ config: OWN, parameters, metadata }));
    const { probability } = await segmenterOf(network).segment(eye.image);
    for (const name of ["own.safetensors", "run.safetensors"]) {
      await openTab(page, "Segment");
      await openWeights(page, name);
      await says(page, `Weights: ${name} (My U-Net)`);
      await page.getByRole("button", { name: "eye.png, segmented" }).click({ timeout: 60_000 });
      const { bytes } = await savedBy(page, () => page.getByText("Probability as PNG").click());
      const { data } = await sharp(bytes)
        .toColourspace("grey16")
        .raw({ depth: "ushort" })
        .toBuffer({ resolveWithObject: true });
      const pixels = new Uint16Array(data.buffer, data.byteOffset, data.length / 2);
      const furthest = pixels.reduce(
        (most, level, i) => Math.max(most, Math.abs(level / 65_535 - probability[i])),
        0,
      );
      expect(furthest).toBeLessThan(1e-4);
    }
    expect(complaints).toEqual([]);
  });

  it("takes weights that are dropped, and goes back to its own", async () => {
    const page = await shared();
    await openTab(page, "Segment");
    const base64 = (await readFile(file("own.safetensors"))).toString("base64");
    await page.evaluate((text) => {
      const bytes = Uint8Array.from(atob(text), (character) => character.charCodeAt(0));
      const event = new Event("drop", { bubbles: true, cancelable: true });
      const dataTransfer = { files: [new File([bytes], "dropped.safetensors")], items: [] };
      dispatchEvent(Object.assign(event, { dataTransfer }));
    }, base64);
    await says(page, "Weights: dropped.safetensors (My U-Net)");
    await button(page, "Back to the shipped ones").click();
    await says(page, "Weights: shipped (SA-UNetv2");
    await page.getByRole("button", { name: "eye.png, segmented" }).waitFor({ timeout: 60_000 });
  });

  it("opens a checkpoint inside", async () => {
    const page = await shared();
    await openTab(page, "Look inside");
    await says(page, "SA-UNetv2 has 260,521 numbers");
    await openWeights(page, "run.safetensors");
    await says(page, EXPECTED);
    expect(await page.getByRole("button", { name: "Encoder 3, unit 1:" }).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it("goes on with the run of a checkpoint, also after a reload, and saves both files", async () => {
    const page = await shared();
    await openTab(page, "Train here");
    await button(page, "Train").and(page.locator(":enabled")).waitFor({ timeout: 60_000 });
    await openWeights(page, "run.safetensors");
    await says(page, "run.safetensors: My U-Net, a run of 40 steps, which goes on.");
    const stepOf = async () => Number(await page.getByTestId("step").textContent());
    const until = (step: number) => expect.poll(stepOf, { timeout: 120_000 }).toBeGreaterThan(step);
    await button(page, "Train").click();
    await until(42);
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const held = await stepOf();
    await says(page, `keeps the run up to step ${held};`);
    await page.reload();
    await button(page, "Resume").click({ timeout: 60_000 });
    await until(held);
    await button(page, "Pause").click();
    await button(page, "Resume").waitFor({ timeout: 60_000 });
    const weights = await savedBy(page, () => button(page, "Weights").click());
    // It is called after its network.
    expect(weights.name).toBe(`my-u-net-${await stepOf()}-steps.safetensors`);
    expect(readWeights(new Uint8Array(weights.bytes)).config).toEqual(OWN);
    const checkpoint = await savedBy(page, () => button(page, "Checkpoint").click());
    expect(isCheckpointFile(new Uint8Array(checkpoint.bytes))).toBe(true);
    await writeFile(file("again.safetensors"), checkpoint.bytes);
    await button(page, "Reset").click();
    await button(page, "Train").and(page.locator(":enabled")).waitFor({ timeout: 60_000 });
    await openTab(page, "Look inside");
    await openWeights(page, "again.safetensors");
    await says(page, EXPECTED);
    expect(complaints).toEqual([]);
  });

  it.each([
    [
      "classes.safetensors",
      "SA-UNetv2 tells 3 classes apart here (background, artery, vein), but this page shows one: vessel.",
    ],
    ["grey.safetensors", "My U-Net takes pictures of 1 channel here, but photographs have 3."],
    [
      "unnamed.safetensors",
      "the checkpoint does not say which network it belongs to; open the weights of its run instead.",
    ],
    ["eye.png", "the file is a picture, not a safetensors file."],
  ])("says why %s cannot be used, wherever it is opened", async (name, why) => {
    const page = await shared();
    await openTab(page, "Segment");
    await openWeights(page, name);
    await says(page, `${name} could not be used: ${why}`);
    await openTab(page, "Look inside");
    await says(page, "has");
    await openWeights(page, name);
    await says(page, `${name} could not be used: ${why}`);
    await openTab(page, "Train here");
    await button(page, "Train").and(page.locator(":enabled")).waitFor({ timeout: 60_000 });
    await openWeights(page, name);
    // A run can be of the network that the page trains.
    const own = name === "unnamed.safetensors" ? "not a sa-unet-v2: " : why;
    await says(page, `${name} cannot be started from: ${own}`);
    expect(complaints).toEqual([]);
  });

  it("keeps saying why while it looks at another photograph", async () => {
    const page = await shared();
    await openTab(page, "Segment");
    await page.getByLabel("Choose photographs").setInputFiles(file("other.png"));
    await page.getByRole("button", { name: "other.png, segmented" }).waitFor({ timeout: 60_000 });
    await openTab(page, "Look inside");
    await says(page, "has");
    await openWeights(page, "grey.safetensors");
    const refusal = page.getByText("grey.safetensors could not be used").filter({ visible: true });
    await refusal.waitFor();
    const choice = page.locator(".photograph-choice select");
    const shown = () => choice.locator("option:checked").textContent();
    await expect.poll(() => choice.isEnabled(), { timeout: 60_000 }).toBe(true);
    const other = (await shown()) === "other.png" ? "synthetic.png" : "other.png";
    await choice.selectOption(other);
    await expect.poll(() => choice.isEnabled(), { timeout: 60_000 }).toBe(true);
    expect(await shown()).toBe(other);
    expect(await refusal.count()).toBe(1);
    expect(complaints).toEqual([]);
  });
});
