// The live parts of the book. A page of it has pictures; a button under some of them loads this script and puts one of
// these parts in the place of the picture. One script, since a page that is opened from a folder may load nothing else.

import { type ComponentType, render } from "preact";

/** Every part by its name; its code runs when it is asked for. */
const PARTS: Readonly<Record<string, () => Promise<ComponentType>>> = {
  patch: async () => (await import("./patch.tsx")).PatchIsland,
  dark: async () => (await import("./threshold.tsx")).DarkIsland,
  layers: async () => (await import("./layers.tsx")).LayersIsland,
  threshold: async () => (await import("./threshold.tsx")).NetworkIsland,
};

/** Draws a part into an element. */
export async function mount(name: string, element: HTMLElement): Promise<void> {
  const Part = await PARTS[name]();
  render(<Part />, element);
}
