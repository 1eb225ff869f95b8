// Which masks a photograph is compared with, and those that no photograph has.

import { X } from "lucide";
import { Icon } from "../ui/icon.tsx";
import { type Item, items } from "./items.ts";
import { chooseMask, giveMask, type MaskFile, maskInUse, masks, masksOf, removeMask } from "./masks.ts";

const NONE = "none";
const NO_MASK: Readonly<Record<MaskFile["kind"], string>> = {
  vessels: "no comparison",
  field: "as detected",
};

/** The masks of a photograph; nothing where it has none. */
export function MaskChoice({ item, kind, label }: { item: Item; kind: MaskFile["kind"]; label: string }) {
  const own = masksOf(item.id, kind);
  if (own.length === 0) return null;
  return (
    <label class="mask-choice">
      <span>{label}</span>
      <select
        value={maskInUse(item.id, kind)?.id ?? NONE}
        onChange={({ currentTarget: { value } }) =>
          chooseMask(item.id, kind, value === NONE ? null : Number(value))
        }
      >
        {own.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
        <option value={NONE}>{NO_MASK[kind]}</option>
      </select>
    </label>
  );
}

/** Masks without a photograph, and why; a person can give each one. */
export function StrayMasks() {
  const strays = masks.value.filter(({ photograph }) => photograph === undefined);
  if (strays.length === 0) return null;
  return (
    <section class="group" aria-label="Masks without a photograph">
      <h2>Masks without a photograph</h2>
      <ul class="group">
        {strays.map((mask) => (
          <Stray key={mask.id} mask={mask} />
        ))}
      </ul>
    </section>
  );
}

function Stray({ mask: { id, name, kind, width, height, reason } }: { mask: MaskFile }) {
  const fits = items.value.filter(({ size }) => size?.width === width && size.height === height);
  const what = kind === "vessels" ? "vessels" : "a field of view";
  return (
    <li class="stray">
      <p class="small">
        {name} ({what}): {reason ?? "it is being looked at"}.
      </p>
      <select
        aria-label={`Photograph of ${name}`}
        disabled={fits.length === 0}
        value={NONE}
        onChange={({ currentTarget: { value } }) => void giveMask(id, Number(value))}
      >
        <option value={NONE}>{fits.length === 0 ? "none of its size" : "choose its photograph …"}</option>
        {fits.map((item) => (
          <option key={item.id} value={item.id}>
            {item.name}
          </option>
        ))}
      </select>
      <button type="button" class="round" aria-label={`Remove ${name}`} onClick={() => void removeMask(id)}>
        <Icon node={X} size={16} />
      </button>
    </li>
  );
}
