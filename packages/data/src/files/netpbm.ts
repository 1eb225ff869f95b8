// Netpbm pictures: PPM (colour), PGM (grey) and PBM (black and white), each binary or plain. STARE is made of them, and
// sharp does not read them. The libraries on npm that do stop at a comment between the sizes or at a header on one
// line, which STARE has both.
//
// Source: the ppm, pgm and pbm pages of the Netpbm manual. A header is four words (kind, width, height, largest value;
// a PBM has no largest value) in any white space; a `#` begins a comment that ends with its line; one white space
// character parts it from the samples.

/** What a header says. */
export interface NetpbmHeader {
  /** P1 … P6 */
  readonly kind: string;
  readonly width: number;
  readonly height: number;
  readonly channels: 1 | 3;
  /** The sample that stands for full brightness, 1 … 65535; above 255 a sample takes two bytes. */
  readonly maximum: number;
  /** Where the samples begin. */
  readonly start: number;
}

const KINDS: Readonly<Record<string, { readonly channels: 1 | 3; readonly isPlain: boolean }>> = {
  P1: { channels: 1, isPlain: true },
  P2: { channels: 1, isPlain: true },
  P3: { channels: 3, isPlain: true },
  P4: { channels: 1, isPlain: false },
  P5: { channels: 1, isPlain: false },
  P6: { channels: 3, isPlain: false },
};

const isSpace = (byte: number): boolean => byte === 32 || (byte >= 9 && byte <= 13);
const HASH = 35;
const [LINE_FEED, CARRIAGE_RETURN] = [10, 13];
/** No number of a header has more digits. */
const LONGEST_WORD = 9;

/**
 * Reads the header of a Netpbm picture.
 *
 * @param bytes the beginning of the file
 * @returns undefined where the bytes are something else
 * @example
 * const bytes = new TextEncoder().encode("P5 2 1 255 ab");
 * console.log(netpbmHeader(bytes)?.start); // 11
 */
export function netpbmHeader(bytes: Uint8Array): NetpbmHeader | undefined {
  const words: string[] = [];
  let wanted = 4;
  let at = 0;
  let word = "";
  for (let isComment = false; at < bytes.length && words.length < wanted; at++) {
    const byte = bytes[at];
    if (isComment) isComment = byte !== LINE_FEED && byte !== CARRIAGE_RETURN;
    else if (byte === HASH) isComment = true;
    else if (!isSpace(byte)) word += String.fromCharCode(byte);
    if (word.length > LONGEST_WORD) return undefined;
    if ((isComment || isSpace(byte)) && word !== "") {
      words.push(word);
      word = "";
      if (words.length === 1 && KINDS[words[0]] === undefined) return undefined;
      if (words[0] === "P1" || words[0] === "P4") wanted = 3;
    }
  }
  if (words.length < wanted) return undefined;
  const [kind, ...sizes] = words;
  const [width, height, maximum = 1] = sizes.map((size) => (/^\d+$/.test(size) ? Number(size) : 0));
  if (width < 1 || height < 1 || maximum < 1 || maximum > 65535) return undefined;
  return { kind, width, height, channels: KINDS[kind].channels, maximum, start: at };
}

/** The bytes that header and samples take at least. */
export function leastBytes({ kind, width, height, channels, maximum, start }: NetpbmHeader): number {
  if (kind === "P4") return start + Math.ceil(width / 8) * height;
  const wide = maximum > 255 && !KINDS[kind].isPlain;
  return start + width * height * channels * (wide ? 2 : 1);
}

/** A picture that goes on after its last sample is read so far, to meet the checksum of an archive. */
const MOST_BEHIND = 2 ** 16;

/**
 * Decodes the samples of a picture.
 *
 * @param chunks the bytes of the file from its beginning on
 * @returns grey or RGB, 0 … `header.maximum`, or what is wrong
 * @example
 * const bytes = new TextEncoder().encode("P5 2 1 255 ab");
 * const chunks = new Blob([bytes]).stream();
 * console.log(await decodeNetpbm(netpbmHeader(bytes)!, chunks)); // Uint8Array(2) [ 97, 98 ]
 */
export async function decodeNetpbm(
  header: NetpbmHeader,
  chunks: AsyncIterable<Uint8Array>,
): Promise<Uint8Array | Uint16Array | string> {
  const { width, height, channels, maximum, start } = header;
  const samples = new (maximum > 255 ? Uint16Array : Uint8Array)(width * height * channels);
  const reader = KINDS[header.kind].isPlain ? plainReader(header, samples) : binaryReader(header, samples);
  let [skip, behind] = [start, 0];
  for await (const chunk of chunks) {
    const fresh = chunk.subarray(skip);
    skip -= chunk.length - fresh.length;
    if (reader.isFull()) behind += fresh.length;
    else {
      const fault = reader.take(fresh);
      if (fault !== undefined) return fault;
    }
    if (behind > MOST_BEHIND) break;
  }
  return reader.end() ?? samples;
}

/** Fills samples from chunk after chunk; what is wrong is returned. */
interface Reader {
  take(bytes: Uint8Array): string | undefined;
  end(): string | undefined;
  isFull(): boolean;
}

function binaryReader(
  { kind, width, height, maximum }: NetpbmHeader,
  samples: Uint8Array | Uint16Array,
): Reader {
  let next = 0;
  const isFull = () => next === samples.length;
  const end = () => (isFull() ? undefined : "too few samples");
  if (kind === "P4") {
    // A row begins with a byte of its own; a set bit is black.
    const row = Math.ceil(width / 8);
    let at = 0;
    const take = (bytes: Uint8Array) => {
      for (let i = 0; i < bytes.length && at < row * height; i++, at++) {
        const left = (at % row) * 8;
        for (let bit = 0; bit < Math.min(8, width - left); bit++)
          samples[next++] = 1 - ((bytes[i] >> (7 - bit)) & 1);
      }
      return undefined;
    };
    return { take, end, isFull };
  }
  if (maximum <= 255) {
    const take = (bytes: Uint8Array) => {
      const part = bytes.subarray(0, samples.length - next);
      // A sample above the largest value is full brightness.
      for (let i = 0; i < part.length; i++) samples[next++] = Math.min(maximum, part[i]);
      return undefined;
    };
    return { take, end, isFull };
  }
  let high: number | undefined;
  const take = (bytes: Uint8Array) => {
    for (let i = 0; i < bytes.length && !isFull(); i++) {
      if (high === undefined) high = bytes[i];
      else {
        samples[next++] = Math.min(maximum, 256 * high + bytes[i]);
        high = undefined;
      }
    }
    return undefined;
  };
  return { take, end, isFull };
}

/** Numbers in white space. The digits of a PBM need none between them, and 1 is black. */
function plainReader({ kind, maximum }: NetpbmHeader, samples: Uint8Array | Uint16Array): Reader {
  const isBits = kind === "P1";
  let [next, value] = [0, -1];
  let isComment = false;
  const isFull = () => next === samples.length;
  const put = () => {
    if (value >= 0 && !isFull()) samples[next++] = isBits ? 1 - value : value;
    value = -1;
  };
  const take = (bytes: Uint8Array) => {
    for (let i = 0; i < bytes.length && !isFull(); i++) {
      const byte = bytes[i];
      if (isComment) isComment = byte !== LINE_FEED && byte !== CARRIAGE_RETURN;
      else if (byte === HASH || isSpace(byte)) {
        isComment = byte === HASH;
        put();
      } else {
        const digit = byte - 48;
        if (digit < 0 || digit > 9) return "a sample that is no number";
        value = 10 * Math.max(0, value) + digit;
        if (value > maximum) return `a sample of ${value} above the largest value ${maximum}`;
        if (isBits) put();
      }
    }
    return undefined;
  };
  const end = () => {
    put();
    return isFull() ? undefined : "too few samples";
  };
  return { take, end, isFull };
}
