// A long training run in Chromium, only where it is asked for: `npm run check:page-training -- --minutes 60`.

import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { launchChromium } from "../../../../scripts/chromium.mjs";
import { bytesByThread, openSite } from "../testing.ts";
import { savedBy } from "../testing-browsers.ts";

const MINUTES = Number(process.env.SAUNET_TRAINING_MINUTES ?? 0);
const SAMPLES = 10;

describe.runIf(MINUTES > 0)(`training for ${MINUTES} minutes`, () => {
  const timeout = (MINUTES + 10) * 60_000;
  it(
    "keeps its memory, lowers its loss, and leaves a checkpoint that goes on",
    async () => {
      const folder = await mkdtemp(join(tmpdir(), "saunet-training-"));
      const [site, browser] = await Promise.all([openSite(), launchChromium()]);
      try {
        const page = await browser.newPage();
        await page.goto(`${site.isolated}#train`);
        const button = (name: string) => page.getByRole("button", { name, exact: true });
        const numberOf = async (id: string) => Number(await page.getByTestId(id).textContent());
        await button("Train").click({ timeout: 60_000 });
        await expect.poll(() => numberOf("step"), { timeout: 120_000 }).toBeGreaterThan(20);
        const samples: { step: number; loss: number; bytes: number }[] = [];
        for (let i = 0; i <= SAMPLES; i++) {
          const byThread = await bytesByThread(page);
          const bytes = Object.values(byThread).reduce((sum, own) => sum + own, 0);
          samples.push({ step: await numberOf("step"), loss: await numberOf("loss"), bytes });
          console.log(samples[i], i === 0 || i === SAMPLES ? byThread : "");
          if (i < SAMPLES) await page.waitForTimeout((MINUTES * 60_000) / SAMPLES);
        }
        // Curves thin themselves out at 1000 points.
        const [, second] = samples;
        const last = samples.at(-1)!;
        expect(last.bytes - second.bytes).toBeLessThan(5e6);
        expect(last.loss).toBeLessThan(samples[0].loss);

        await button("Pause").click();
        await button("Resume").waitFor({ timeout: 60_000 });
        const held = await numberOf("step");
        const { bytes } = await savedBy(page, () => button("Checkpoint").click());
        const path = join(folder, "checkpoint.safetensors");
        await writeFile(path, bytes);
        await button("Reset").click();
        await page.getByLabel("Open weights or a checkpoint").setInputFiles(path);
        await button("Train").click();
        await expect.poll(() => numberOf("step"), { timeout: 120_000 }).toBeGreaterThan(held);
      } finally {
        await browser.close();
        await site.close();
        await rm(folder, { recursive: true, force: true });
      }
    },
    timeout,
  );
});
