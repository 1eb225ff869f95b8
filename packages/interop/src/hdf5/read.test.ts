import h5wasm, { ready } from "h5wasm";
import { afterAll, describe, expect, it, vi } from "vitest";
import { ImportError } from "../errors.ts";
import { hdf5Reader, type StartedWorker } from "./read.ts";

const { FS } = await ready;

/** The bytes of a file that `fill` writes. */
function written(fill: (file: InstanceType<typeof h5wasm.File>) => void): Uint8Array {
  const file = new h5wasm.File("/written.h5", "w");
  fill(file);
  file.close();
  return FS.readFile("/written.h5");
}

const small = written((file) => {
  const group = file.create_group("layers");
  group.create_attribute("names", ["a", "b"]);
  group.create_dataset({ name: "w", data: Float32Array.of(1, 2.5, -3, 4), shape: [2, 2] });
  group.create_dataset({ name: "d", data: Float64Array.of(0.1) });
  group.create_dataset({ name: "seed", data: Int32Array.of(1, 2) });
  file.create_dataset({ name: "left out", data: Float32Array.of(9) });
});

describe("hdf5Reader", () => {
  const reader = hdf5Reader();
  afterAll(() => reader.close());

  it("reads groups, texts and floats", async () => {
    const { groups, datasets } = await reader.read(small, ["left out"]);
    expect(groups).toEqual([
      { path: "", attributes: {} },
      { path: "layers", attributes: { names: ["a", "b"] } },
    ]);
    expect(datasets).toEqual([
      { path: "layers/d", shape: [1], values: Float32Array.of(0.1) },
      { path: "layers/seed", shape: [2], values: undefined },
      { path: "layers/w", shape: [2, 2], values: Float32Array.of(1, 2.5, -3, 4) },
    ]);
  });

  it.each<[string, Uint8Array, RegExp]>([
    [
      // Compressed or never written, a few bytes claim any size.
      "a bomb",
      written((file) => {
        const data = new Float32Array(1024);
        file.create_dataset({ name: "w", data, maxshape: [null], chunks: [1024] }).resize([2 ** 30]);
      }),
      /w claims a shape of \[1073741824\], more than is read/,
    ],
    [
      "many bombs",
      written((file) => {
        for (let i = 0; i < 3; i++) {
          const data = new Float32Array(1024);
          file
            .create_dataset({ name: `w${i}`, data, maxshape: [null], chunks: [1024] })
            .resize([2 ** 24 - 1]);
        }
      }),
      /w2 claims a shape of \[16777215\]/,
    ],
    [
      "numbers that do not unpack",
      (() => {
        const data = Float32Array.from({ length: 1000 }, (_, i) => Math.sin(i));
        const bytes = written((file) => {
          file.create_dataset({ name: "w", data, chunks: [1000], compression: "gzip" });
        });
        // The packed numbers are most of the file, at its end.
        bytes.fill(0xff, bytes.length - 1000, bytes.length - 900);
        return bytes;
      })(),
      /^is HDF5 that cannot be read: w: /,
    ],
    [
      "groups without end",
      written((file) => {
        file.create_group("a");
        file.create_hard_link("/a", "a/again");
      }),
      /nests groups deeper than 20/,
    ],
  ])("refuses %s", async (_, bytes, message) => {
    const error = await reader.read(bytes, []).catch((reason: unknown) => reason);
    expect(error).toBeInstanceOf(ImportError);
    expect((error as Error).message).toMatch(message);
  });

  it("refuses a file that it is closed over, at once", async () => {
    const closed = hdf5Reader({ patienceMs: 10_000 });
    // Takes some tenths of a second: no answer comes before the end.
    const slow = written((file) => {
      for (let i = 0; i < 2000; i++) file.create_group(`layer${i}`).create_attribute("names", ["a", "b"]);
    });
    await closed.read(small, []);
    const answer = closed.read(slow, []);
    closed.close();
    await expect(answer).rejects.toThrow(
      new ImportError("is HDF5 that cannot be read: it brought the HDF5 library down: the worker ended"),
    );
  });

  it("passes over a link to nothing", async () => {
    const bytes = written((file) => file.create_soft_link("/nowhere", "w"));
    expect((await reader.read(bytes, [])).datasets).toEqual([]);
  });
});

describe("a worker that fails", () => {
  /** Readers of workers that do this with a question, and how often they were started and stopped. */
  function readerOf(ask: StartedWorker["ask"]) {
    const counts = { started: 0, stopped: 0 };
    const startWorker = async () => {
      counts.started++;
      return { ask, stop: () => void counts.stopped++ };
    };
    return { reader: hdf5Reader({ patienceMs: 20, startWorker }), counts };
  }

  it.each<[string, StartedWorker["ask"], string]>([
    ["runs in circles", () => new Promise(() => {}), "reading it took longer than 0.02 s"],
    [
      "is brought down",
      () => Promise.reject(new Error("Aborted(OOM)")),
      "is HDF5 that cannot be read: it brought the HDF5 library down: Aborted(OOM)",
    ],
  ])("because it %s is ended, and another one takes the next file", async (_, ask, message) => {
    const { reader, counts } = readerOf(ask);
    await expect(reader.read(small, [])).rejects.toThrow(new ImportError(message));
    expect(counts).toEqual({ started: 1, stopped: 1 });
    await expect(reader.read(small, [])).rejects.toThrow(ImportError);
    expect(counts).toEqual({ started: 2, stopped: 2 });
  });

  it("is not asked of a file that is none, or too large for it", async () => {
    const { reader, counts } = readerOf(async () => ({ fault: "asked" }));
    await expect(reader.read(small.subarray(1), [])).rejects.toThrow(new ImportError("is not an HDF5 file"));
    await expect(reader.read(Uint8Array.of(0x89, 0x48, 0x44, 0x46), [])).rejects.toThrow(
      "is not an HDF5 file",
    );
    const large = new Uint8Array(2 ** 27 + 1);
    large.set(small.subarray(0, 8));
    await expect(reader.read(large, [])).rejects.toThrow(
      new ImportError("has 134217729 bytes; HDF5 files of up to 134217728 are read"),
    );
    expect(counts.started).toBe(0);
    await expect(reader.read(large.subarray(0, 2 ** 27), [])).rejects.toThrow("asked");
  });

  it("is waited for no longer than it takes", async () => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
    try {
      const { reader } = readerOf(async () => ({ fault: "truncated file" }));
      await expect(reader.read(small, [])).rejects.toThrow("truncated file");
      expect(vi.getTimerCount()).toBe(0);
    } finally {
      vi.useRealTimers();
    }
  });

  it("stays for the next file where only the file was at fault", async () => {
    const { reader, counts } = readerOf(async () => ({ fault: "truncated file" }));
    await expect(reader.read(small, [])).rejects.toThrow("is HDF5 that cannot be read: truncated file");
    await expect(reader.read(small, [])).rejects.toThrow("is HDF5 that cannot be read: truncated file");
    expect(counts).toEqual({ started: 1, stopped: 0 });
    reader.close();
    expect(counts.stopped).toBe(1);
  });
});
