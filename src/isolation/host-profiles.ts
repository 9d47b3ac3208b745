/** Profiles inside a host process: takes them of its workers, and sends them to the platform in parts, as control messages. */
import { messageOf } from "../common/text.js";
import type { ControlUp } from "./control.js";
import { PROFILES } from "./limits.js";
import { type ProfileKind, profileThread } from "./profiling.js";
import type { ThreadLink } from "./thread-link.js";

/** A profile that the platform asks for. */
export interface ProfileOrder {
  readonly id: number;
  readonly of: ProfileKind;
  readonly ms: number;
}

/** Takes a profile of `link`'s worker and sends it, or why it could not be taken. Never rejects. */
export async function sendProfile(
  link: ThreadLink | undefined,
  { id, of, ms }: ProfileOrder,
  tell: (message: ControlUp) => void,
): Promise<void> {
  try {
    const thread = link?.thread;
    if (thread === undefined) throw new Error("its worker has ended");
    const text = await profileThread(thread, of, ms);
    for (let at = 0; at < text.length; at += PROFILES.partChars)
      tell({ kind: "profile", id, part: text.slice(at, at + PROFILES.partChars) });
    tell({ kind: "profiled", id, why: "" });
  } catch (error) {
    tell({ kind: "profiled", id, why: messageOf(error) || "it could not be taken" });
  }
}
