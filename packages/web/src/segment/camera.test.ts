import { describe, expect, it } from "vitest";
import { cornerOf, pan, scaleOf, whole, zoomBy } from "./camera.ts";

const photograph = { width: 1000, height: 500 };
const pane = { width: 500, height: 500 };

/** Which pixel of the photograph lies at a place of the pane. */
const under = (camera: ReturnType<typeof whole>, x: number, y: number) => {
  const corner = cornerOf(camera, photograph, pane);
  const scale = scaleOf(camera, photograph, pane);
  return [(x - corner.x) / scale, (y - corner.y) / scale];
};

describe("camera", () => {
  it("shows all of the photograph in the middle", () => {
    expect(scaleOf(whole(photograph), photograph, pane)).toBe(0.5);
    expect(cornerOf(whole(photograph), photograph, pane)).toEqual({ x: 0, y: 125 });
  });

  it("shows all of what is tall, too, in a pane of any shape", () => {
    for (const [tall, own, wanted] of [
      [{ width: 500, height: 1000 }, pane, 0.5],
      [{ width: 500, height: 1000 }, { width: 200, height: 800 }, 0.4],
      [{ width: 500, height: 1000 }, { width: 900, height: 100 }, 0.1],
    ] as const) {
      expect(scaleOf(whole(tall), tall, own)).toBeCloseTo(wanted, 12);
      const { x, y } = cornerOf(whole(tall), tall, own);
      expect([x, y]).toEqual([(own.width - wanted * 500) / 2, (own.height - wanted * 1000) / 2]);
    }
  });

  it("zooms about a place, which stays where it is", () => {
    const near = zoomBy(whole(photograph), photograph, pane, 8, { x: 300, y: 240 });
    const [x, y] = under(near, 300, 240);
    expect(near.zoom).toBe(8);
    expect([x, y]).toEqual(under(whole(photograph), 300, 240));
  });

  it("stays on the photograph", () => {
    const near = zoomBy(whole(photograph), photograph, pane, 4);
    const moved = pan(near, photograph, pane, 1e6, -1e6);
    expect(under(moved, 0, pane.height)).toEqual([0, photograph.height]);
    expect(pan(whole(photograph), photograph, pane, 90, 90)).toEqual(whole(photograph));
  });

  it("goes neither farther than all of it nor nearer than single pixels", () => {
    expect(zoomBy(whole(photograph), photograph, pane, 0.01).zoom).toBe(1);
    expect(scaleOf(zoomBy(whole(photograph), photograph, pane, 1e9), photograph, pane)).toBe(48);
  });
});
