// What was dropped, with everything inside the folders among it. No library: the one that is kept (file-selector) wants
// a newer Node than this checkout does, for these thirty lines.

/** Files that systems leave in folders. */
const isHidden = (name: string): boolean => name.startsWith(".") || /^(thumbs\.db|desktop\.ini)$/i.test(name);

/** Endings of pictures that are read here. */
const PICTURE = /\.(jpe?g|png|tiff?|webp|gif|bmp|avif|p[bgpn]m|dcm)(\.gz)?$/i;

/** Files to be opened, and how many others a folder held. */
export interface Found {
  readonly files: readonly File[];
  readonly others: number;
}

/** All files of a drop. Ask at once: a drop is empty as soon as its event is over. */
export async function droppedFiles({ items, files }: DataTransfer): Promise<Found> {
  const entries = [...items].flatMap((item) => item.webkitGetAsEntry() ?? []);
  // What comes from another page is no entry of a file system.
  if (!entries.some(({ isDirectory }) => isDirectory)) return { files: [...files], others: 0 };
  return picturesOf((await Promise.all(entries.map(filesOf))).flat());
}

/** The pictures among the files of a folder: tables and notes are no mistake there. */
export function picturesOf(files: Iterable<File>): Found {
  const visible = [...files].filter(({ name }) => !isHidden(name));
  const pictures = visible.filter(({ name, type }) => PICTURE.test(name) || type.startsWith("image/"));
  return { files: pictures, others: visible.length - pictures.length };
}

async function filesOf(entry: FileSystemEntry): Promise<File[]> {
  if (isHidden(entry.name)) return [];
  if (entry.isFile) {
    const file = await new Promise<File>((resolve, reject) =>
      (entry as FileSystemFileEntry).file(resolve, reject),
    );
    return [file];
  }
  const entries = await entriesOf((entry as FileSystemDirectoryEntry).createReader());
  return (await Promise.all(entries.map(filesOf))).flat();
}

/** A reader gives up to 100 entries at a time; none says that there are no more. */
async function entriesOf(reader: FileSystemDirectoryReader): Promise<FileSystemEntry[]> {
  const all: FileSystemEntry[] = [];
  for (;;) {
    const some = await new Promise<FileSystemEntry[]>((resolve, reject) =>
      reader.readEntries(resolve, reject),
    );
    if (some.length === 0) return all.sort((a, b) => a.name.localeCompare(b.name, "en", { numeric: true }));
    all.push(...some);
  }
}
