// Markup out of values: what is put in as text is escaped.

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;" };

/** Text that is safe between tags and in quoted attributes. */
export const escaped = (text: string): string => text.replace(/[&<>"]/g, (sign) => ENTITIES[sign]);

/** Data for a script of the page; nothing in it ends the script early. */
export const embedded = (value: unknown): string => JSON.stringify(value).replaceAll("<", "\\u003c");
