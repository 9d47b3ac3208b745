/** Has the running host apply an edit of its policy at once, and tells what became of the plugin there. */
import { realpath } from "node:fs/promises";
import { escapeLine } from "../common/escape.js";
import { ControlClient } from "../control/client.js";
import type { PluginDetails, Reason } from "../control/types.js";
import { DriverError, isErrorCode } from "../driverapi/errors.js";

/** Where a command looks for a running host. */
export interface HostPlace {
  /** The control socket's path. */
  readonly socket: string;
}

/** What became of an edit in the running host. */
export interface Applied {
  readonly socket: string;
  /** `applied`: it is in force there; `other-policy`: the host follows another file; `unknown`: the host could not be asked. */
  readonly outcome: "applied" | "other-policy" | "unknown";
  /** The plugin's state there. */
  readonly state?: string;
  /** Why the plugin is not in service, or why the edit is not known to be in force. */
  readonly reason?: Reason;
}

/**
 * Asks the host at `socket` to apply the policy in `file` to plugin `id`, and waits until it has. Resolves with null if no host runs
 * there. Rejects if the host cannot read the policy, or does not have the plugin.
 */
export async function applyToHost(id: string, file: string, { socket }: HostPlace): Promise<Applied | null> {
  const client = new ControlClient(socket);
  try {
    const followed = (await client.ask("policy")).file;
    if (followed === null || (await target(followed)) !== (await target(file))) {
      const message = followed === null ? "its platform gave it its policy" : `it follows the policy ${followed}`;
      return { socket, outcome: "other-policy", reason: { code: "ERR_OPTIONS", message } };
    }
    const { state, reason } = await client.ask("apply", { id });
    return { socket, outcome: "applied", state, ...(reason === null ? {} : { reason }) };
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    const { code, message } = error;
    if (code === "ERR_NO_DAEMON") return null;
    // The policy is written by now, and a host that follows it notices that.
    if (code === "ERR_CONTROL_SOCKET") return { socket, outcome: "unknown", reason: { code, message } };
    throw new DriverError(
      code,
      `the policy is written, but the running host (${socket}) did not apply it: ${message}`,
      {
        plugin: id,
      },
    );
  }
}

/** Says in one line what became of an edit. */
export function appliedText(id: string, applied: Applied | null, { socket }: HostPlace): string {
  if (applied === null) return `no host runs at ${socket}; it takes effect when one starts with this policy`;
  const { outcome, state, reason } = applied;
  const why = reason === undefined ? "" : `: ${reason.code}: ${escapeLine(reason.message, Number.POSITIVE_INFINITY)}`;
  if (outcome === "applied") return `applied by the running host: ${id} is ${escapeLine(state ?? "", 100)}${why}`;
  if (outcome === "unknown")
    return `the running host did not answer${why}; if it watches this policy, it will apply the change`;
  return `not in force in the host at ${socket}: ${escapeLine(reason?.message ?? "", Number.POSITIVE_INFINITY)}`;
}

/** Returns the error of a grant after which the plugin is not in service, whatever its policy says. */
export function notServed(id: string, applied: Applied | null): DriverError | undefined {
  const { outcome, state = "", reason } = applied ?? {};
  if (outcome !== "applied" || reason === undefined || HELD.has(state)) return undefined;
  const code = isErrorCode(reason.code) ? reason.code : "ERR_INTERNAL";
  const words = `"${id}" is granted, but the running host does not serve this version (state: ${state}): ${reason.message}`;
  return new DriverError(code, words, { plugin: id });
}

/** States that an operator chose. */
const HELD: ReadonlySet<PluginDetails["state"]> = new Set(["stopped", "quarantined"]);

async function target(path: string): Promise<string> {
  return realpath(path).catch(() => path);
}
