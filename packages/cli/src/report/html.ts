// Templates whose values cannot break out of their place.

/** Text that is markup already. */
export interface Markup {
  readonly markup: string;
}

type Value = string | number | Markup | readonly (Markup | undefined)[] | undefined;

/** A template: strings and numbers are escaped, markup stands as it is, undefined is nothing. */
export function html(texts: TemplateStringsArray, ...values: readonly Value[]): Markup {
  return { markup: texts.reduce((text, next, i) => text + markupOf(values[i - 1]) + next) };
}

/** Markup that somebody else has made safe. */
export function trusted(markup: string): Markup {
  return { markup };
}

function markupOf(value: Value): string {
  if (value === undefined) return "";
  if (typeof value === "string" || typeof value === "number") {
    return String(value).replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
  }
  return "markup" in value ? value.markup : value.map(markupOf).join("");
}
