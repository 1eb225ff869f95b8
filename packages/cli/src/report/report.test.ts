import sharp from "sharp";
import { describe, expect, it } from "vitest";
import type { EvaluatedImage } from "../evaluation.ts";
import { binned, drawChart } from "./chart.ts";
import { html } from "./html.ts";
import { drawPictures, ERROR_COLOURS, pictureWidth } from "./pictures.ts";
import { parseTrainingLog } from "./training-log.ts";

describe("html", () => {
  it("escapes what is put in, and leaves markup as it is", () => {
    const name = `<b>"it's" & more</b>`;
    expect(html`<p title="${name}">${name}</p>`.markup).toBe(
      `<p title="&#60;b&#62;&#34;it&#39;s&#34; &#38; more&#60;/b&#62;">&#60;b&#62;&#34;it&#39;s&#34; &#38; more&#60;/b&#62;</p>`,
    );
    expect(html`<ul>${[1, 2].map((n) => html`<li>${n}</li>`)}</ul>${undefined}`.markup).toBe(
      "<ul><li>1</li><li>2</li></ul>",
    );
  });
});

describe("parseTrainingLog", () => {
  const step = { kind: "step", epoch: 1, step: 1, loss: 0.9, learningRate: 1e-3, seconds: 1 };
  const epoch = { kind: "epoch", step: 1, epoch: 1, loss: 0.9, f1: 0.5, seconds: 2 };
  const lines = (...entries: object[]) => entries.map((entry) => `${JSON.stringify(entry)}\n`).join("");

  it("reads steps and epochs, with and without validation, and passes over what it does not know", () => {
    const { f1: _, ...unvalidated } = epoch;
    const log = parseTrainingLog(lines(step, { kind: "news" }, epoch, { ...unvalidated, epoch: 2, step: 2 }));
    expect(log.steps).toEqual([{ step: 1, loss: 0.9, learningRate: 1e-3 }]);
    expect(log.epochs).toEqual([
      { epoch: 1, step: 1, loss: 0.9, f1: 0.5, seconds: 2 },
      { epoch: 2, step: 2, loss: 0.9, f1: undefined, seconds: 2 },
    ]);
  });

  it("leaves out a last line that a killed run did not finish, and refuses one in the middle", () => {
    const cut = `${lines(step)}{"kind":"st`;
    expect(parseTrainingLog(cut).steps).toHaveLength(1);
    expect(() => parseTrainingLog(`${cut}\n${lines(step)}`)).toThrow('line 2 is no JSON: {"kind":"st');
    expect(parseTrainingLog("")).toEqual({ steps: [], epochs: [] });
  });

  it("takes a loss that is null, as JSON has it for NaN, for none", () => {
    expect(parseTrainingLog(lines({ ...step, loss: null })).steps[0].loss).toBeNaN();
  });
});

describe("drawChart", () => {
  const chart = (points: [number, number][], others = {}) =>
    drawChart({ title: "t", x: "step", lines: [{ name: "a", points }], ...others })?.markup;

  it("draws a line from corner to corner of its axes", () => {
    expect(
      chart([
        [0, 0],
        [10, 1],
      ]),
    ).toContain('<path class="line line-0" d="M52,204L382,10"/>');
  });

  it("leaves out what is no number, and on a logarithmic axis what is not above 0", () => {
    const [clean, dirty] = [
      chart([
        [0, 1],
        [1, 2],
      ]),
      chart([
        [0, 1],
        [0.5, Number.NaN],
        [1, 2],
      ]),
    ];
    expect(dirty).toBe(clean);
    expect(
      chart(
        [
          [0, 0],
          [1, 0.1],
          [2, 1],
        ],
        { log: true },
      ),
    ).not.toMatch(/NaN|Infinity/);
  });

  it("draws a single point as a dot, a flat line in the middle, and nothing where there is nothing", () => {
    expect(chart([[3, 0.5]])).toContain("<circle");
    expect(
      chart([
        [0, 0.5],
        [1, 0.5],
      ]),
    ).toMatch(/d="M52,107(\.\d+)?L382,107(\.\d+)?"/);
    expect(chart([])).toBeUndefined();
    expect(chart([[0, Number.NaN]])).toBeUndefined();
  });

  it("names its lines where there are several", () => {
    const lines = ["a", "b"].map((name) => ({
      name,
      points: [
        [0, 1],
        [1, 2],
      ] as const,
    }));
    expect(drawChart({ title: "t", x: "x", lines })?.markup).toMatch(/key-0.*a.*key-1.*b/);
  });
});

describe("binned", () => {
  it("keeps mean and range of at most 300 stretches", () => {
    const points = Array.from({ length: 1000 }, (_, i) => [i + 1, i % 2 === 0 ? 1 : 3] as const);
    const { mean, band } = binned(points);
    expect(mean.length).toBe(250);
    expect([mean[0], band[0]]).toEqual([
      [4, 2],
      [4, 1, 3],
    ]);
    expect(binned(points.slice(0, 5)).mean).toEqual(points.slice(0, 5).map((point) => [...point]));
  });
});

describe("pictures", () => {
  it("of more images are smaller, so that the file stays below ten megabytes", () => {
    expect([1, 8, 30, 48].map(pictureWidth)).toEqual([900, 900, 603, 477]);
    expect(pictureWidth(1000)).toBe(280);
  });

  it("show photograph, truth and probability, and hits, misses and false alarms in their colours", async () => {
    // Five stripes of 16 rows: hit, miss, false alarm, nothing inside, nothing outside the field of view.
    const [width, height] = [64, 80];
    const striped = <T>(values: readonly T[]) =>
      Array.from({ length: width * height }, (_, pixel) => values[Math.floor(pixel / width / 16)]);
    const mask = (values: readonly number[]) => ({ width, height, data: Uint8Array.from(striped(values)) });
    const image: EvaluatedImage = {
      id: "a",
      file: "a.png",
      photograph: { width, height, data: new Uint8Array(width * height * 3).fill(90) },
      truth: mask([1, 1, 0, 0, 0]),
      fieldOfView: mask([1, 1, 1, 1, 0]),
      segmentation: {
        width,
        height,
        scale: 1,
        probability: Float32Array.from(striped([0.9, 0.2, 0.7, 0.1, 0])),
        mask: mask([1, 0, 1, 0, 0]),
      },
      figures: undefined as never,
    };
    const pictures = await drawPictures(image, 0.5, 32);
    expect([pictures.width, pictures.height]).toEqual([32, 40]);
    const grey = (level: number) => [level, level, level];
    const stripes = {
      photograph: Array(5).fill(grey(90)),
      truth: [255, 255, 0, 0, 0].map(grey),
      prediction: [0.9, 0.2, 0.7, 0.1, 0].map((p) => grey(255 * p)),
      errors: [ERROR_COLOURS.hit, ERROR_COLOURS.miss, ERROR_COLOURS.falseAlarm, grey(30), grey(0)],
    };
    for (const [kind, wanted] of Object.entries(stripes)) {
      const address = pictures[kind as keyof typeof stripes];
      const { data, info } = await sharp(Buffer.from(address.split(",")[1], "base64"))
        .toColourspace("srgb")
        .raw()
        .toBuffer({ resolveWithObject: true });
      for (const [stripe, colour] of wanted.entries()) {
        const at = ((stripe * 8 + 4) * 32 + 16) * info.channels;
        for (let c = 0; c < 3; c++)
          expect(Math.abs(data[at + c] - colour[c]), `${kind}, stripe ${stripe}`).toBeLessThan(16);
      }
    }
  });
});
