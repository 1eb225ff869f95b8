import type { IconNode } from "lucide";
import { createElement } from "preact";

/** A line drawing beside a word, which says what it means; nothing for a screen reader. */
export function Icon({ node, size = 18 }: { node: IconNode; size?: number }) {
  return (
    <svg
      class="icon"
      width={size}
      height={size}
      viewBox="0 0 24 24"
      fill="none"
      stroke="currentColor"
      stroke-width="1.75"
      stroke-linecap="round"
      stroke-linejoin="round"
      aria-hidden="true"
    >
      {node.map(([tag, attributes]) => createElement(tag, attributes as Record<string, string>))}
    </svg>
  );
}
