import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { calibrationError, type ReliabilityBin, reliabilityBins, sumOfBins } from "./reliability.ts";

/** What scikit-learn says of bins that hold any pixel. */
interface Diagram {
  readonly shares: readonly number[];
  readonly means: readonly number[];
  readonly error: number;
}

const { pictures, pooledReliability } = JSON.parse(
  readFileSync(new URL("../../../fixtures/metrics/metrics.json", import.meta.url), "utf8"),
) as {
  readonly pictures: readonly {
    readonly probability64: number[];
    readonly truth: number[];
    readonly fieldOfView: number[];
    readonly reliability: Diagram;
  }[];
  readonly pooledReliability: Diagram;
};

function expectDiagram(bins: readonly ReliabilityBin[], { shares, means, error }: Diagram): void {
  const filled = bins.filter(({ pixels }) => pixels > 0);
  expect(filled).toHaveLength(shares.length);
  filled.forEach(({ pixels, vessels, probabilities }, i) => {
    expect(vessels / pixels).toBeCloseTo(shares[i], 12);
    expect(probabilities / pixels).toBeCloseTo(means[i], 12);
  });
  expect(calibrationError(bins)).toBeCloseTo(error, 12);
}

describe("reliability", () => {
  it("is scikit-learn's, of each picture and of all pixels, inside the field of view", () => {
    const all = pictures.map(({ probability64, truth, fieldOfView, reliability }) => {
      const probability = Float32Array.from(probability64, (value) => value / 64);
      const bins = reliabilityBins({ probability, truth, fieldOfView });
      expectDiagram(bins, reliability);
      return bins;
    });
    expectDiagram(sumOfBins(all), pooledReliability);
  });

  it("puts a probability on the border of two bins into the lower one, and 0 and 1 into the outermost", () => {
    const bins = reliabilityBins({
      probability: Float32Array.of(0, -0, 1, 0.0625, 0.07),
      truth: [0, 0, 1, 0, 1],
    });
    expect(bins.map(({ pixels }) => pixels)).toEqual([3, 1, ...Array(12).fill(0), 1]);
    expect([bins[1].vessels, bins[14].vessels]).toEqual([1, 1]);
  });

  it("is not defined of no pixels, and refuses what is no probability or of another size", () => {
    expect(calibrationError(reliabilityBins({ probability: new Float32Array(), truth: [] }))).toBeNaN();
    expect(() => reliabilityBins({ probability: Float32Array.of(Number.NaN), truth: [1] })).toThrow(
      /reliabilityBins: probability/,
    );
    expect(() => reliabilityBins({ probability: Float32Array.of(0.5), truth: [1, 0] })).toThrow(
      "metrics: truth has 2 pixels but probability has 1",
    );
  });
});
