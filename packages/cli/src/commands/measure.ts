// saunet measure: masks of vessels in; figures, and a picture of what was measured, out.

import { stat } from "node:fs/promises";
import { basename, join, resolve } from "node:path";
import { fieldOfView, type Mask, type Photograph } from "@saunet/data";
import {
  type DicomFacts,
  encodePng,
  picturesByStem,
  readDicomFacts,
  readMask,
  readPhotograph,
} from "@saunet/data/files";
import {
  type FoundDisc,
  findDisc,
  type MeasuredVessels,
  measureVessels,
  NO_MEDICAL_DEVICE,
  type OpticDisc,
  overlayMeasures,
  type VesselColumn,
  type VesselFigures,
  vesselColumns,
} from "@saunet/data/measure";
import { throwIfAsked, untilAsked } from "../ending.ts";
import { DONE, explain, FAILED, UsageError, WorkError } from "../errors.ts";
import { csvRows } from "../figures.ts";
import { makeFolder, withFile, writeFile } from "../files.ts";
import { complain, counted, type Host, printLine, progress, writeJson } from "../output.ts";
import { refuseClashes } from "../outputs.ts";
import { commentedPng, markedPng, refuseForeign } from "../own-picture.ts";

/** Options of `saunet measure`. */
export interface MeasureCommandOptions {
  readonly photographs?: string;
  readonly fields?: string;
  readonly micrometresPerPixel?: number;
  readonly disc?: OpticDisc | "auto";
  readonly arteries?: string;
  readonly veins?: string;
  readonly out?: string;
  /** Whether to write over pictures that saunet did not write. */
  readonly overwrite?: boolean;
  readonly csv?: string;
  readonly maxPixels: number;
  readonly json?: boolean;
}

/** What goes with a mask, by the option that names it. */
const COMPANIONS = ["photographs", "fields", "arteries", "veins"] as const;
type Companion = (typeof COMPANIONS)[number];

/** A mask to be measured, with the files that belong to it. */
interface Job extends Readonly<Partial<Record<Companion, string>>> {
  readonly mask: string;
  /** The picture of what was measured. */
  readonly overlay?: string;
}

/** What came of one mask. */
interface Result {
  readonly mask: string;
  readonly overlay?: string;
  /** What `--disc auto` found, and why it may be wrong. */
  readonly disc?: OpticDisc & { readonly doubt?: string };
  /** Where the scale of `figures` comes from; of a DICOM photograph without one, why. */
  readonly scale?: { readonly from: string } | { readonly doubt: string };
  readonly figures: VesselFigures;
  /** The same as named numbers with units. */
  readonly columns: readonly VesselColumn[];
}

/** Measures masks. */
export async function measure(
  masks: readonly string[],
  options: MeasureCommandOptions,
  host: Host,
): Promise<number> {
  const { disc, arteries, veins, out, csv } = options;
  if ((arteries !== undefined || veins !== undefined) && !(disc && arteries && veins)) {
    throw new UsageError(
      "options '--arteries <path>' and '--veins <path>' go together, with '--disc <x,y,r>'",
    );
  }
  const jobs = await jobsOf(masks, options, host);
  if (disc === "auto" && options.photographs === undefined) {
    throw new UsageError(
      "option '--disc auto' looks for the disc in the photograph: --photographs says where it is",
    );
  }
  if (disc !== undefined && disc !== "auto" && jobs.length > 1) {
    throw new UsageError(`option '--disc <x,y,r>' goes with one mask, and these are ${jobs.length}`);
  }
  const overlays = jobs.flatMap(({ mask, overlay }) =>
    overlay === undefined ? [] : [{ file: overlay, what: `the measures of ${mask}`, option: "--out" }],
  );
  const table = csv === undefined ? [] : [{ file: csv, what: "the figures", option: "--csv" }];
  const inputs = jobs.flatMap((job) => [job.mask, ...COMPANIONS.flatMap((name) => job[name] ?? [])]);
  await refuseClashes(host, [...overlays, ...table], inputs);
  if (!options.overwrite) for (const { file } of overlays) await refuseForeign(file, host);
  if (out !== undefined) await makeFolder(host, out);
  if (!options.json) printLine(host, NO_MEDICAL_DEVICE);
  if (options.photographs === undefined && options.fields === undefined) {
    complain(host, "the whole picture counts as its field of view; --photographs or --fields says what does");
  }
  const { results, failed } = await measureAll(jobs, options, host);
  if (options.json) writeJson(host, { notice: NO_MEDICAL_DEVICE, images: results, failed });
  if (csv !== undefined && results.length > 0) await writeFile(host, csv, csvOf(results));
  return failed.length === 0 ? DONE : FAILED;
}

async function measureAll(jobs: readonly Job[], options: MeasureCommandOptions, host: Host) {
  const results: Result[] = [];
  const failed: { mask: string; error: string }[] = [];
  await untilAsked(host, async (signal) => {
    const bar = progress(host, jobs.length);
    try {
      for (const job of jobs) {
        throwIfAsked(
          signal,
          () => `measured ${results.length} of ${counted(jobs.length, "mask")}, no figures were written`,
        );
        bar.show(job.mask);
        try {
          const result = await measureOne(job, options, host);
          results.push(result);
          if (!options.json) bar.print(lineOf(result));
        } catch (error) {
          failed.push({ mask: job.mask, error: explain(error) });
          bar.warn(explain(error));
        }
        bar.advance(job.mask);
      }
    } finally {
      bar.stop();
    }
  });
  return { results, failed };
}

async function measureOne(job: Job, options: MeasureCommandOptions, host: Host): Promise<Result> {
  const { maxPixels, overwrite } = options;
  const read = <T>(file: string | undefined, reader: (path: string) => Promise<T>) =>
    file === undefined ? undefined : withFile(host, file, reader);
  const maskAt = (path: string) => readMask(path, { maxPixels });
  const mask = await withFile(host, job.mask, maskAt);
  const photograph = await read(job.photographs, (path) => readPhotograph(path, { maxPixels }));
  const { micrometresPerPixel, scale } = scaleOf(options, await read(job.photographs, readDicomFacts));
  const field = (await read(job.fields, maskAt)) ?? (photograph && fieldOfView(photograph));
  const [arteries, veins] = [await read(job.arteries, maskAt), await read(job.veins, maskAt)];
  const named = { [job.photographs ?? "its photograph"]: photograph, [job.fields ?? "its field"]: field };
  for (const [name, other] of Object.entries({
    ...named,
    ...(job.arteries && { [job.arteries]: arteries }),
    ...(job.veins && { [job.veins]: veins }),
  })) {
    if (other !== undefined) expectSize(name, other, job.mask, mask);
  }
  const looked =
    options.disc === "auto" && photograph && field ? findDisc(photograph, mask, field) : undefined;
  // A disc in doubt would give figures that look like any others.
  const sure = looked?.doubt === undefined ? looked?.disc : undefined;
  const disc = options.disc === "auto" ? sure : options.disc;
  const measured = await withFile(host, job.mask, () =>
    measureVessels(mask, { fieldOfView: field, micrometresPerPixel, disc, arteries, veins }),
  );
  if (job.overlay !== undefined) {
    if (!overwrite) await refuseForeign(job.overlay, host);
    await writeFile(host, job.overlay, await pictureOf(measured, photograph));
  }
  const figures =
    options.disc === "auto" && disc === undefined
      ? { ...measured.figures, reasons: { ...measured.figures.reasons, zones: inDoubt(looked) } }
      : measured.figures;
  const { mask: file, overlay } = job;
  return {
    mask: file,
    ...(overlay && { overlay }),
    ...(looked && { disc: { ...looked.disc, ...(looked.doubt && { doubt: looked.doubt }) } }),
    ...(scale && { scale }),
    figures,
    columns: vesselColumns(figures),
  };
}

/** Where a scale comes from that the user gave. */
const GIVEN = "the command line";

/** The scale of the command line, or else that of a DICOM photograph. */
function scaleOf(
  { micrometresPerPixel: given }: MeasureCommandOptions,
  dicom: DicomFacts | undefined,
): Pick<MeasureCommandOptions, "micrometresPerPixel"> & Pick<Result, "scale"> {
  if (given !== undefined) return { micrometresPerPixel: given, scale: { from: GIVEN } };
  const { micrometresPerPixel, scaleDoubt } = dicom ?? {};
  if (scaleDoubt !== undefined) return { scale: { doubt: scaleDoubt } };
  return micrometresPerPixel === undefined ? {} : { micrometresPerPixel, scale: { from: "PixelSpacing" } };
}

/** Why there are no zones, and what to do about it. */
function inDoubt(found: FoundDisc | undefined): string {
  if (found === undefined) return "the field of view is too small to look for the optic disc";
  const { x, y, radius } = found.disc;
  const guess = [x, y, radius].map(Math.round).join(",");
  return `the optic disc may be at ${guess}, but ${found.doubt}; --disc x,y,r says where it is`;
}

function expectSize(name: string, { width, height }: Mask | Photograph, of: string, mask: Mask): void {
  if (width === mask.width && height === mask.height) return;
  throw new WorkError(`${name}: is ${width} x ${height}, but ${of} is ${mask.width} x ${mask.height}`);
}

/** Without a photograph, on black. */
async function pictureOf(measured: MeasuredVessels, photograph?: Photograph): Promise<Uint8Array> {
  const { width, height } = measured.vessels;
  const drawn = overlayMeasures(
    photograph ?? { width, height, data: new Uint8Array(3 * width * height) },
    measured,
  );
  return markedPng(commentedPng(await encodePng(drawn), NO_MEDICAL_DEVICE));
}

/** The masks, and the files that belong to each. */
async function jobsOf(
  masks: readonly string[],
  options: MeasureCommandOptions,
  host: Host,
): Promise<readonly Job[]> {
  const found = (await Promise.all(masks.map((path) => masksAt(path, host)))).flat();
  const companions = await Promise.all(
    COMPANIONS.map(
      async (name) => [name, await companionOf(options[name], `--${name} <path>`, host)] as const,
    ),
  );
  return found.map(({ mask, stem }) => ({
    mask,
    ...(options.out !== undefined && { overlay: join(options.out, `${stem}-measures.png`) }),
    ...Object.fromEntries(companions.flatMap(([name, of]) => (of ? [[name, of(stem, mask)]] : []))),
  }));
}

/** What `saunet segment` adds to the name of a photograph. */
const MASK_ENDING = /-mask$/;

/** The masks of a path. A folder that `saunet segment` wrote holds other pictures beside them. */
async function masksAt(
  path: string,
  host: Host,
): Promise<{ readonly mask: string; readonly stem: string }[]> {
  const pictures = await picturesIn(path, host);
  if (pictures === undefined) return [{ mask: path, stem: stemOf(path) }];
  const segmented = [...pictures].filter(([stem]) => MASK_ENDING.test(stem));
  const chosen = segmented.length > 0 ? segmented : [...pictures];
  if (chosen.length === 0) throw new WorkError(`${path}: holds no pictures`);
  return chosen.map(([stem, file]) => ({
    mask: join(path, basename(file)),
    stem: stem.replace(MASK_ENDING, ""),
  }));
}

const stemOf = (path: string): string =>
  basename(path)
    .replace(/(\.[a-z]+)(\.gz)?$/i, "")
    .replace(MASK_ENDING, "");

/** The pictures of a folder by their names; undefined of what is no folder. */
async function picturesIn(path: string, host: Host): Promise<ReadonlyMap<string, string> | undefined> {
  const found = await stat(resolve(host.cwd, path)).catch(() => undefined);
  return found?.isDirectory() ? withFile(host, path, (folder) => picturesByStem(folder)) : undefined;
}

/**
 * A function that finds what belongs to a mask: the file itself, or the picture of the folder whose name begins the mask's, or
 * whose name the mask's begins. A mask is no companion of its own: data sets have photographs and masks in one folder.
 */
async function companionOf(path: string | undefined, option: string, host: Host) {
  if (path === undefined) return undefined;
  const pictures = await picturesIn(path, host);
  const isMask = (file: string, mask: string) => resolve(host.cwd, file) === resolve(host.cwd, mask);
  return (stem: string, mask: string): string => {
    const refuse = (why: string): never => {
      throw new UsageError(`${mask}: option '${option}' wants another picture for it, and ${path} ${why}`);
    };
    if (pictures === undefined) return isMask(path, mask) ? refuse("is the mask itself") : path;
    const files = [...pictures].map(([name, file]) => ({ name, file: join(path, basename(file)) }));
    const others = files.filter(
      ({ name, file }) => !isMask(file, mask) && (belongs(name, stem) || belongs(stem, name)),
    );
    // Of eye and eye-1 the longer one is meant by eye-1-mask; of eye-a and eye-b none by eye.
    const shorter = others.filter(({ name }) => name.length <= stem.length);
    const longest = shorter.sort((one, other) => other.name.length - one.name.length).slice(0, 1);
    const found = longest.length > 0 ? longest : others;
    if (found.length === 1) return found[0].file;
    return refuse(found.length === 0 ? "has none" : `has ${found.map(({ name }) => name).join(", ")}`);
  };
}

/** Whether one name begins another, up to where a word ends. */
const belongs = (short: string, long: string): boolean =>
  long.startsWith(short) && !/^[\p{L}\p{N}]/u.test(long.slice(short.length));

/** Masks differ in their columns: where one has a scale, or a disc that is sure, and another has not. */
function csvOf(results: readonly Result[]): string {
  const names = columnsInOrder(results);
  const isScaled = results.some(({ figures }) => figures.micrometresPerPixel !== undefined);
  const scales = isScaled ? ["micrometres_per_pixel", "scale_from"] : [];
  return csvRows([
    ["mask", ...names, ...scales, "notice"],
    ...results.map(({ mask, scale, figures, columns }) => {
      const values = new Map(columns.map(({ name, value }) => [name, value]));
      const from = scale !== undefined && "from" in scale ? scale.from : "";
      return [
        mask,
        ...names.map((name) => values.get(name) ?? Number.NaN),
        ...(isScaled ? [figures.micrometresPerPixel ?? Number.NaN, from] : []),
        NO_MEDICAL_DEVICE,
      ];
    }),
  ]);
}

/** The names of all columns, each after those that it follows in its own row. */
function columnsInOrder(results: readonly Result[]): readonly string[] {
  const names: string[] = [];
  for (const { columns } of results) {
    let next = 0;
    for (const { name } of columns) {
      const at = names.indexOf(name);
      if (at === -1) names.splice(next, 0, name);
      next = (at === -1 ? next : at) + 1;
    }
  }
  return names;
}

function lineOf({ mask, overlay, figures, scale }: Result): string {
  const { width, height, vesselWidth, fractal, tortuosity, vesselDensity, micrometresPerPixel } = figures;
  const { calibres, reasons } = figures;
  const onRetina = (pixels: number) =>
    micrometresPerPixel === undefined
      ? `${pixels.toFixed(1)} px`
      : `${pixels.toFixed(1)} px = ${(pixels * micrometresPerPixel).toFixed(0)} um`;
  const parts = [
    vesselDensity !== undefined && `vessels ${(100 * vesselDensity).toFixed(1)} % of the field of view`,
    `length ${figures.length.toFixed(0)} px`,
    vesselWidth && `width ${onRetina(vesselWidth.mean)}, median ${onRetina(vesselWidth.median)}`,
    counted(figures.branchPoints, "branch point"),
    counted(figures.endPoints, "end"),
    scale !== undefined &&
      "from" in scale &&
      scale.from !== GIVEN &&
      `scale ${micrometresPerPixel} um per pixel (${scale.from} of its photograph)`,
    fractal && `D0 ${fractal.d0.value.toFixed(3)}`,
    tortuosity && `arc over chord ${tortuosity.arcOverChord.toFixed(3)}`,
    calibres?.knudtson && `AVR ${calibres.knudtson.avr.toFixed(3)}`,
  ].filter((part) => typeof part === "string");
  const missing = Object.entries(reasons)
    .filter(([name]) => name !== "calibres")
    .map(([name, reason]) => `; no ${name}: ${reason}`);
  const doubt = scale !== undefined && "doubt" in scale ? `; no scale: ${scale.doubt}` : "";
  return `${mask}: ${width}x${height}, ${parts.join(", ")}${missing.join("")}${doubt}${overlay ? ` -> ${overlay}` : ""}`;
}
