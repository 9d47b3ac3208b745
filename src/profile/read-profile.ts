/** Reads the text of a profile. Runs in a separate thread, since a hostile worker's text can take any time to read. */
import { escapeLine } from "../common/escape.js";
import { messageOf } from "../common/text.js";
import type { ProfileKind } from "../isolation/profiling.js";
import { readCpuProfile } from "./cpu-profile.js";
import type { FunctionShare } from "./functions.js";
import { readHeapProfile } from "./heap-profile.js";

/** A profile to read. */
export interface RawProfile {
  readonly of: ProfileKind;
  readonly text: string;
  /** Of the plugin's bundle, as JSON. */
  readonly sourceMap: string;
}

/** What was read: `profile` is the file's text. Or why it is not a profile. */
export type ReadProfile =
  | { readonly profile: string; readonly functions: readonly FunctionShare[] }
  | { readonly refused: string };

/** Reads a profile, or returns why it is not one. Never throws. */
export function readProfile({ of, text, sourceMap }: RawProfile): ReadProfile {
  try {
    const value: unknown = JSON.parse(text);
    const { profile, functions } = of === "cpu" ? readCpuProfile(value, sourceMap) : readHeapProfile(value, sourceMap);
    return { profile: JSON.stringify(profile), functions };
  } catch (error) {
    return { refused: escapeLine(messageOf(error), 300) };
  }
}
