// Which of the three pages is open; the address remembers it.

import { signal } from "@preact/signals";

export const TABS = [
  { id: "segment", text: "Segment" },
  { id: "inside", text: "Look inside" },
  { id: "train", text: "Train here" },
] as const;

/** Names a page. */
export type TabId = (typeof TABS)[number]["id"];

const tabOf = (hash: string): TabId => TABS.find(({ id }) => `#${id}` === hash)?.id ?? "segment";

export const tab = signal<TabId>(tabOf(location.hash));
addEventListener("hashchange", () => {
  tab.value = tabOf(location.hash);
});

/** Opens a page. */
export function openTab(id: TabId): void {
  location.hash = `#${id}`;
}
