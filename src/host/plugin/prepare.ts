/** Prepares a plugin that was found: what it may do, and the exact bytes that will run. */
import { dirname } from "node:path";
import { keepBundlerAhead } from "../../bundler/bundle.js";
import { DriverError, type ErrorCode } from "../../driverapi/errors.js";
import type { SandboxPolicy } from "../../isolation/walls/wall.js";
import { type Effective, effectiveGrant, type GrantQuestion } from "../../policy/effective.js";
import { grantCommand, grantingCommand, limitsText, missingText } from "../../policy/grant-command.js";
import type { Manifest } from "../../policy/manifest/schema.js";
import { judgeUpdate } from "../../policy/update.js";
import type { PinnedVersion, StoredBundle } from "../../storage/bundle-store.js";
import { bundleDiscovered } from "../bundled.js";
import type { HostContext } from "../context.js";
import type { Discovered } from "../discovered.js";

/** A plugin that may run. Restarts run these same bytes, even if the folder has changed by then. */
export interface Prepared {
  readonly id: string;
  readonly version: string | undefined;
  readonly manifest: Manifest | undefined;
  readonly effective: Effective;
  /** The wall that the policy demands for it; undefined under isolation "thread". */
  readonly sandbox: SandboxPolicy | undefined;
  readonly code: string;
  readonly sourceMap: string;
  readonly sha256: string;
  /** The version that the policy pins, if this one was accepted in its place and the pinned one is known. */
  readonly pinned: PinnedVersion | undefined;
  /** Set if these are not the bytes that the policy pins: it accepts them as long as they ask for no more. */
  readonly update: { readonly pinned: string; readonly difference: string } | undefined;
}

/** The plugin's state before this load. */
export interface Before {
  /** The version loaded last. */
  readonly former: Prepared | undefined;
  /** Returns true while that version serves, and will: not if the policy no longer grants what it has. */
  serves(): boolean;
  /** Called with the plugin's sha256, before any decision depends on it. */
  hashed(sha256: string): void;
}

/**
 * Prepares a plugin. Throws `ERR_GRANT_MISSING` and `ERR_PLUGIN_CHANGED` (the operator has to decide), and all errors of
 * discovery and bundling. A plugin that waits for its grant is not bundled.
 */
export async function prepare(found: Discovered, context: HostContext, before: Before): Promise<Prepared> {
  if (found.error) throw found.error;
  const { id, manifest, version } = found;
  const { former, hashed } = before;
  const question = questionOf(id, manifest, context);
  const effective = effectiveGrant(question);
  const pinned = pinnedVersion(effective.sha256, former);
  // A policy does not contain `recovery`: after a restart of the platform, only the stored bundle has that of the pinned version.
  const kept = former ? undefined : pinnedVersion(effective.sha256, await context.bundles.get(id));
  const update = judgeUpdate({ ...question, pinned, former, recovery: kept?.manifest?.recovery });
  const places = { policy: context.policyFile, plugins: dirname(found.path) };
  const command = grantCommand(id, places);
  const serving = (): string =>
    before.serves() ? `; the version that runs, sha256 ${former?.sha256}, keeps running` : "";
  const refusal = (code: ErrorCode, words: string): DriverError =>
    new DriverError(code, `plugin "${id}"${words}`, { plugin: id });
  if (effective.missing.length > 0) {
    const known = (former !== undefined || effective.sha256 !== undefined) && update.differs;
    const since = `${known ? `; ${update.text}` : ""}${serving()}`;
    const unnamed = limitsText(id, effective.missing, question.policy, places);
    if (unnamed !== undefined) throw refusal("ERR_GRANT_MISSING", `: ${unnamed}${since}`);
    const line = grantingCommand(id, effective.missing, question.policy, places);
    throw refusal("ERR_GRANT_MISSING", ` asks for ${missingText(effective.missing)}${since}; to grant it: ${line}`);
  }
  // Its worker starts while it is being bundled.
  context.launcher(effective.isolation).warm?.(effective.memoryMb);
  const { code, sourceMap, sha256 } = await bundleDiscovered(found).finally(() => {
    if (!context.closed()) keepBundlerAhead();
  });
  hashed(sha256);
  const changed = effective.sha256 !== undefined && effective.sha256 !== sha256;
  if (changed && !update.accepted) {
    throw refusal(
      "ERR_PLUGIN_CHANGED",
      ` is not what was granted: its sha256 is ${sha256}, the policy pins ${effective.sha256}; ${update.text}${serving()}; check what changed, then: ${command}`,
    );
  }
  return {
    id,
    version,
    manifest,
    effective,
    sandbox: effective.isolation === "thread" ? undefined : (question.policy.sandbox ?? "bubblewrap"),
    code,
    sourceMap,
    sha256,
    pinned: changed ? pinned : undefined,
    update: changed ? { pinned: effective.sha256, difference: update.text } : undefined,
  };
}

/**
 * Prepares the bytes that a plugin ran before, if the policy grants all they ask for, and pins them, pins the version they were
 * accepted in place of, or pins nothing.
 */
export function prepareStored(stored: StoredBundle, context: HostContext): Prepared | undefined {
  const { id, version, manifest, code, sourceMap, sha256 } = stored;
  const question = questionOf(id, manifest, context);
  const effective = effectiveGrant(question);
  if (effective.missing.length > 0) return undefined;
  const changed = effective.sha256 !== undefined && effective.sha256 !== sha256;
  const pinned = changed ? pinnedVersion(effective.sha256, stored) : undefined;
  const update = changed ? judgeUpdate({ ...question, pinned }) : undefined;
  if (update && !(pinned && update.accepted)) return undefined;
  const sandbox = effective.isolation === "thread" ? undefined : (question.policy.sandbox ?? "bubblewrap");
  const accepted = pinned && update && { pinned: pinned.sha256, difference: update.text };
  return { id, version, manifest, effective, sandbox, code, sourceMap, sha256, pinned, update: accepted };
}

function questionOf(id: string, manifest: Manifest | undefined, context: HostContext): GrantQuestion {
  const { isolation, threadsOnly } = context;
  return { id, manifest, policy: context.policy(), hostIsolation: isolation, threadsOnly };
}

/** Returns the version with that digest: the one loaded last, or the one it was accepted in place of. */
function pinnedVersion(
  pin: string | undefined,
  former: Pick<StoredBundle, "sha256" | "manifest" | "pinned"> | undefined,
): PinnedVersion | undefined {
  if (pin === undefined || former === undefined) return undefined;
  if (former.sha256 === pin) return { sha256: pin, manifest: former.manifest };
  return former.pinned?.sha256 === pin ? former.pinned : undefined;
}

/** Returns true for errors that an operator's grant fixes. */
export function awaitsGrant(error: DriverError): boolean {
  return error.code === "ERR_GRANT_MISSING" || error.code === "ERR_PLUGIN_CHANGED";
}
