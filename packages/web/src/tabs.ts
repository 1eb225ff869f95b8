// Which of the three pages is open; the address remembers it.

import { signal } from "@preact/signals";

export const TABS = [
  { id: "segment", text: "Segment" },
  { id: "inside", text: "Look inside" },
  { id: "train", text: "Train here" },
] as const;

/** Names a page. */
export type TabId = (typeof TABS)[number]["id"];

/** What follows a slash is a place within the page. */
const tabOf = (hash: string): TabId =>
  TABS.find(({ id }) => hash === `#${id}` || hash.startsWith(`#${id}/`))?.id ?? "segment";

export const tab = signal<TabId>(tabOf(location.hash));
addEventListener("hashchange", () => {
  tab.value = tabOf(location.hash);
});

/** Opens a page. */
export function openTab(id: TabId): void {
  location.hash = `#${id}`;
}
