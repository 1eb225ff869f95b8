// The address of what is looked at: #inside/encoder2.conv1/12?x=40&y=31 is column 40 and row 31 of channel 12.

/** A number of the network. */
export interface Place {
  readonly id: string;
  readonly channel: number;
  /** Left out: wherever is looked at. */
  readonly at?: { readonly column: number; readonly row: number };
}

const LINK = /^#inside\/([a-z]+\d?(?:\.[a-z]+\d?)?)(?:\/(\d{1,5}))?(?:\?x=(\d{1,5})&y=(\d{1,5}))?$/;

/** What an address names; undefined where it names nothing inside. */
export function placeOf(hash: string): Place | undefined {
  const [, id, channel = "0", x, y] = LINK.exec(hash) ?? [];
  if (id === undefined) return undefined;
  return {
    id,
    channel: Number(channel),
    ...(x !== undefined && { at: { column: Number(x), row: Number(y) } }),
  };
}

/** The address of a number. */
export const linkOf = ({ id, channel, at }: Place): string =>
  `#inside/${id}/${channel}${at ? `?x=${at.column}&y=${at.row}` : ""}`;
