/** Hands a file to the person. */
export function download(name: string, content: Blob): void {
  const link = document.createElement("a");
  const url = URL.createObjectURL(content);
  link.href = url;
  link.download = name;
  link.click();
  // The browser has taken hold of it by then.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** The name of a file without its ending. */
export const stemOf = (name: string): string => name.replace(/\.gz$/i, "").replace(/\.[^.]*$/, "");
