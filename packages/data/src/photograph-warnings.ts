import type { Photograph } from "./image.ts";
export function photographWarnings(_: Photograph): string[] {
  return [];
}
