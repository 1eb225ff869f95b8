import { execFileSync } from "node:child_process";
import {
  chmod,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rm,
  stat,
  symlink,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it, vi } from "vitest";
import { temporaryName, writeWhole } from "./write-whole.ts";

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "saunet-whole-"));
});
afterAll(() => rm(folder, { recursive: true }));

const text = async (path: string) => String(await readFile(path));

describe("writeWhole", () => {
  it.each([
    ["255 letters", "n".repeat(255)],
    ["63 characters of 4 bytes", "😀".repeat(63)],
    ["one letter", "n"],
  ])("writes a name of %s", async (_, name) => {
    const inner = await mkdtemp(join(folder, "name-"));
    await writeWhole(join(inner, name), "text");
    await writeWhole(join(inner, name), "again");
    expect(await readdir(inner)).toEqual([name]);
    expect(await text(join(inner, name))).toBe("again");
  });

  it("has temporary names that tell their target and differ", () => {
    expect(temporaryName("checkpoint.safetensors")).toMatch(/^checkpoint\.safetensors\.[0-9a-f]{8}\.tmp$/);
    expect(temporaryName("a")).not.toBe(temporaryName("a"));
  });

  it("leaves a symbolic link and replaces what it points to, there or not", async () => {
    const inner = await mkdtemp(join(folder, "links-"));
    const at = (name: string) => join(inner, name);
    await mkdir(at("real"));
    await writeFile(at("real/there"), "old");
    for (const name of ["there", "not-yet"]) {
      await symlink(`real/${name}`, at(name));
      await symlink(name, at(`${name}-again`));
      await writeWhole(at(`${name}-again`), "new");
      expect([await readlink(at(name)), await text(at(`real/${name}`))]).toEqual([`real/${name}`, "new"]);
    }
    expect((await readdir(at("real"))).sort()).toEqual(["not-yet", "there"]);
    // As many as Linux follows, and one more.
    for (let i = 1; i <= 41; i++) await symlink(i === 1 ? "real/last" : `chain-${i - 1}`, at(`chain-${i}`));
    await writeWhole(at("chain-40"), "new");
    expect(await text(at("real/last"))).toBe("new");
    await expect(writeWhole(at("chain-41"), "new")).rejects.toThrow(/chain-41: cannot be written: /);
    await rm(at("real/last"));
    await symlink("round", at("round"));
    await expect(writeWhole(at("round"), "new")).rejects.toThrow(/round: cannot be written: /);
  });

  it("has its bytes on the disk before they take the name of the old ones", async () => {
    const path = join(folder, "synced");
    await writeFile(path, "old");
    const handle = await open(path);
    const synced: string[][] = [];
    const sync = vi.spyOn(Object.getPrototypeOf(handle), "sync").mockImplementation(async () => {
      const temporary = (await readdir(folder)).find((name) => /^synced\..*\.tmp$/.test(name)) ?? "";
      synced.push([await text(join(folder, temporary)), await text(path)]);
    });
    await handle.close();
    await writeWhole(path, "new");
    sync.mockRestore();
    expect([synced, await text(path)]).toEqual([[["new", "old"]], "new"]);
  });

  it("makes no device, and says that there is none", async () => {
    await expect(writeWhole("/dev/saunet-none", "text")).rejects.toThrow(
      /^\/dev\/saunet-none: cannot be written: (?!is neither)/,
    );
  });

  it("does not write into a folder of devices", async () => {
    await expect(writeWhole("/dev/fd", "text")).rejects.toThrow(
      "/dev/fd: cannot be written: is neither a file nor a pipe",
    );
  });

  it("keeps the permissions of what it replaces", async () => {
    const path = join(folder, "private");
    await writeFile(path, "old");
    for (const mode of [0o600, 0o666]) {
      await chmod(path, mode);
      await writeWhole(path, "new");
      expect((await stat(path)).mode & 0o777).toBe(mode);
    }
  });

  it.runIf(process.platform === "linux")(
    "writes into a FIFO and a device, which stay what they are",
    async () => {
      const fifo = join(folder, "fifo");
      execFileSync("mkfifo", [fifo]);
      const [read] = await Promise.all([text(fifo), writeWhole(fifo, "through the pipe")]);
      expect(read).toBe("through the pipe");
      expect((await stat(fifo)).isFIFO()).toBe(true);
      await symlink("/dev/null", join(folder, "null"));
      await writeWhole(join(folder, "null"), "gone");
      await writeWhole("/dev/null", "gone");
      expect((await stat("/dev/null")).isCharacterDevice()).toBe(true);
      await expect(writeWhole("/dev/full", "text")).rejects.toThrow(
        "/dev/full: cannot be written: the disk is full",
      );
      expect((await stat("/dev/full")).isCharacterDevice()).toBe(true);
    },
  );
});
