/** Compares a grant in force with the previous one: what an operator's edit, or a new version, has changed. */
import { differences, differenceText } from "./difference.js";
import type { Effective } from "./effective.js";
import { termsOf } from "./terms.js";

/** Describes in one line what was added, removed, raised and lowered, and a changed pinned sha256; undefined: nothing changed. */
export function grantChange(before: Effective, after: Effective): string | undefined {
  const pins = [before, after].map(({ sha256 }) => sha256 ?? "none");
  const pin = pins[0] === pins[1] ? [] : [`sha256 ${pins.join(" → ")}`];
  const text = differenceText(differences(termsOf(before), termsOf(after)));
  const all = [...(text === "" ? [] : [text]), ...pin];
  return all.length === 0 ? undefined : all.join(", ");
}
