import { expect, it } from "vitest";
import { droppedFiles, picturesOf } from "./dropped.ts";

const file = (name: string, type = "") => new File(["x"], name, { type });
const names = (files: readonly File[]) => files.map(({ name }) => name);

const fileEntry = (name: string, type?: string) => ({
  ...{ name, isFile: true, isDirectory: false },
  file: (resolve: (file: File) => void) => resolve(file(name, type)),
});

/** A folder that gives its entries two at a time, as browsers give a hundred. */
function folder(name: string, entries: readonly object[]) {
  const createReader = () => {
    const left = [...entries];
    return { readEntries: (resolve: (some: object[]) => void) => resolve(left.splice(0, 2)) };
  };
  return { name, isFile: false, isDirectory: true, createReader };
}

const drop = (entries: readonly (object | null)[], files: readonly File[] = []) =>
  droppedFiles({ items: entries.map((entry) => ({ webkitGetAsEntry: () => entry })), files } as never);

it("takes from folders the pictures, in the order of their numbers, and counts what else is visible", async () => {
  const right = folder("right", [fileEntry("3.dcm"), fileEntry("Thumbs.db"), fileEntry("notes.txt")]);
  const hidden = folder(".git", [fileEntry("9.png")]);
  const all = ["10.png", "2.jpg", "1.ppm.gz", "table.csv", ".4.png"].map((name) => fileEntry(name));
  const found = await drop([folder("eyes", [...all, hidden, right]), fileEntry("single", "image/png")]);
  expect(names(found.files)).toEqual(["1.ppm.gz", "2.jpg", "10.png", "3.dcm", "single"]);
  expect(found.others).toBe(2);
});

it("takes files that were dropped without a folder as they are: what is no picture is told where it is opened", async () => {
  const files = [file("notes.txt"), file(".hidden")];
  expect(await drop([fileEntry("notes.txt"), fileEntry(".hidden")], files)).toEqual({ files, others: 0 });
  // From another page, nothing is an entry of a file system.
  expect(await drop([null], files)).toEqual({ files, others: 0 });
});

it("fails where a folder cannot be read", async () => {
  const unreadable = {
    ...folder("eyes", []),
    createReader: () => ({
      readEntries: (_: unknown, reject: (error: Error) => void) => reject(new Error("gone")),
    }),
  };
  await expect(drop([unreadable])).rejects.toThrow("gone");
});

it.each(
  "a.jpg a.JPEG a.png a.tif a.tiff a.webp a.gif a.bmp a.avif a.pbm a.pgm a.ppm a.pnm a.dcm a.ppm.gz".split(
    " ",
  ),
)("knows %s for a picture by its name", (name) => {
  expect(picturesOf([file(name)])).toMatchObject({ files: [{ name }], others: 0 });
});

it.each(["a.txt", "png", "a.png.txt", "a.jpg.zip", "a.pxm"])("does not take %s for a picture", (name) => {
  expect(picturesOf([file(name)])).toEqual({ files: [], others: 1 });
});

it("goes by what the system says, too, and does not count what systems leave in folders", () => {
  const found = picturesOf([
    file("scan", "image/heic"),
    file("desktop.ini"),
    file("Desktop.ini"),
    file(".DS_Store"),
  ]);
  expect([names(found.files), found.others]).toEqual([["scan"], 0]);
  expect(picturesOf([file("my thumbs.db"), file("desktop.ini.txt")]).others).toBe(2);
});
