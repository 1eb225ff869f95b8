// Files that people can edit, checked before anything relies on them.

import type { z } from "zod";
import { WorkError } from "./errors.ts";

/**
 * Checks what was read against a schema.
 *
 * @throws WorkError naming the first place that does not fit, what was expected and what is there
 */
export function validate<T>(schema: z.ZodType<T>, value: unknown): T {
  const { success, data, error } = schema.safeParse(value);
  if (success) return data;
  const [{ path, message }] = error.issues;
  let found = value;
  for (const key of path) found = (found as Readonly<Record<PropertyKey, unknown>> | undefined)?.[key];
  const place = path.length === 0 ? "" : `${path.map(String).join(".")}: `;
  if (found === undefined) throw new WorkError(`${place}is missing`);
  const expected = message.replace(/, received .*$/, "");
  throw new WorkError(`${place}${expected} but found ${JSON.stringify(found).slice(0, 60)}`);
}

/** @throws WorkError where a text is no JSON */
export function parseJson(text: string, reviver?: Parameters<typeof JSON.parse>[1]): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch {
    throw new WorkError("is damaged: it is not JSON");
  }
}
