// The tab's title: what is open, and what goes on in it while another tab of the browser is looked at.

import { computed, effect, signal } from "@preact/signals";
import { isOpen, items } from "./segment/items.ts";
import { TABS, tab } from "./tabs.ts";

/** Whether a training runs, which the third tab tells; and its last step. */
export const isTraining = signal(false);
export const trainingStep = signal(0);

/** What the engine is busy with, for the title. */
const work = computed(() => {
  const { value: all } = items;
  const open = all.filter(isOpen).length;
  if (open > 0 && all.length > 1) return `${all.length - open} of ${all.length}`;
  if (open > 0) return "segmenting";
  return isTraining.value ? `step ${trainingStep.value}` : "";
});

effect(() => {
  const { text } = TABS.find(({ id }) => id === tab.value)!;
  document.title = [work.value, text, "saunet"].filter((part) => part !== "").join(" · ");
});
