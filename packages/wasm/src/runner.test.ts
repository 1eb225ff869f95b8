import { describe, expect, it } from "vitest";
import { Cache } from "./runner.ts";

describe("Cache", () => {
  it("remembers what was asked for last, undefined too, and makes nothing twice meanwhile", () => {
    const made: string[] = [];
    const cache = new Cache<string | undefined>(2);
    const ask = (key: string) =>
      cache.get(key, () => {
        made.push(key);
        return key === "none" ? undefined : key;
      });
    for (const key of ["a", "none", "a", "none", "b", "a", "none"]) ask(key);
    expect(made.join()).toBe("a,none,b,a,none");
    expect(cache.size).toBe(2);
  });

  it("keeps what is in use beyond its limit, and takes leave of the rest", () => {
    const forgotten: number[] = [];
    const inUse = new Set([0, 1]);
    const cache = new Cache<number>(2, (value) => !inUse.has(value) && forgotten.push(value) > 0);
    for (let i = 0; i < 5; i++) cache.get(String(i), () => i);
    expect(forgotten).toEqual([2, 3]);
    expect(cache.size).toBe(3);
    inUse.clear();
    cache.get("5", () => 5);
    expect(forgotten).toEqual([2, 3, 0, 1]);
    expect(cache.size).toBe(2);
  });
});
