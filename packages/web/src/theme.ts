// Light, dark, or as the system has it.

import { effect, signal } from "@preact/signals";

const KEY = "saunet-theme";

/** How the page looks. */
export type Theme = "system" | "light" | "dark";

function stored(): Theme {
  const value = read();
  return value === "light" || value === "dark" ? value : "system";
}

/** Browsers that keep nothing for a page throw here. */
function read(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

export const theme = signal<Theme>(stored());

effect(() => {
  document.documentElement.dataset.theme = theme.value;
  try {
    localStorage.setItem(KEY, theme.value);
  } catch {
    // The choice then lasts as long as the page.
  }
});
