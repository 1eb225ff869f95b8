import { describe, expect, it } from "vitest";
import { cosine, earlyStopping, reduceOnPlateau } from "./schedules.ts";

describe("cosine", () => {
  it("rises in a line, falls along half a cosine, and stays", () => {
    const share = cosine({ total: 12, warmup: 2, final: 0.1 });
    expect([share(0), share(1), share(2)]).toEqual([0.5, 1, 1]);
    expect(share(7)).toBeCloseTo(0.55);
    expect(share(12)).toBeCloseTo(0.1);
    expect(share(500)).toBeCloseTo(0.1);
  });

  it("refuses what is no count", () => {
    expect(() => cosine({ total: 0 })).toThrow("cosine: total must be an integer of at least 1 but is 0");
    expect(() => cosine({ total: 5, warmup: -1 })).toThrow(
      "cosine: warmup must be an integer of at least 0 but is -1",
    );
    expect(() => cosine({ total: 5, final: 2 })).toThrow("cosine: final must lie between 0 and 1 but is 2");
    expect(() => earlyStopping({ patience: 0 })).toThrow(
      "earlyStopping: patience must be an integer of at least 1 but is 0",
    );
    expect(() => reduceOnPlateau({ factor: 2 })).toThrow(
      "reduceOnPlateau: factor must lie between 0 and 1 but is 2",
    );
  });
});

describe("reduceOnPlateau", () => {
  it("counts an improvement of 1e-4 or less as none, waits its patience, and stops at the minimum", () => {
    const plateau = reduceOnPlateau({ factor: 0.5, patience: 2, minimum: 0.2 });
    let rate = 1;
    const rates = [1, 0.99995, 0.9999, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5].map((loss) => {
      rate = plateau.next(loss, rate);
      return rate;
    });
    expect(rates).toEqual([1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.2, 0.2, 0.2]);
  });

  it("goes on where its state was saved", () => {
    const first = reduceOnPlateau({ patience: 2 });
    first.next(1, 0.1);
    first.next(1, 0.1);
    const second = reduceOnPlateau({ patience: 2 });
    Object.assign(second.state, JSON.parse(JSON.stringify(first.state)));
    expect(second.next(1, 0.1)).toBe(0.05);
  });
});

describe("earlyStopping", () => {
  it("takes any improvement, however small, and stops after its patience", () => {
    const stopping = earlyStopping({ patience: 2 });
    const heard = [1, 0.999999, 1, 0.9, 0.9, 0.9].map((loss) => stopping.next(loss));
    expect(heard.map(({ improved }) => improved)).toEqual([true, true, false, true, false, false]);
    expect(heard.map(({ stop }) => stop)).toEqual([false, false, false, false, false, true]);
  });
});
