// A browser that measures, in Chromium and Firefox: what it measures, and that it ends when it is asked to.

import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { isMeasured } from "../rows.ts";
import { USUAL } from "../settings.ts";
import { type BrowserHost, browserHost } from "./host.ts";

describe.each(["chromium", "firefox"])("in %s", (name) => {
  const settings = { ...USUAL, quick: true, shape: ["8x8x4 -> 4, 3x3"], kernels: ["forward"] };
  let host: BrowserHost;
  beforeAll(async () => {
    host = await browserHost(name, settings);
  });
  afterAll(() => host?.close());

  it("measures a layer of one's own", async () => {
    const measurer = await host.open();
    const { units, machine } = await measurer.open("kernels", settings);
    expect(units).toHaveLength(1);
    expect(machine.node.toLowerCase()).toContain(name);
    const { rows, stopped } = await measurer.measure(0, []);
    expect(stopped).toBe(false);
    expect(rows.filter(isMeasured).map((row) => row.name)).toEqual([
      "conv2d.forward typescript",
      "conv2d.forward accelerated",
    ]);
    measurer.end();
  });

  it("ends early when it is asked to, and says so", async () => {
    const measurer = await host.open();
    const hour = { ...settings, quick: false, seconds: 3600 };
    await measurer.open("kernels", hour);
    const measured = measurer.measure(0, []);
    measurer.stop();
    expect((await measured).stopped).toBe(true);
    measurer.end();
  });
});
