/** While the daemon serves, logs failing checks of the machine's network, with the command that fixes each, and fixed ones. */

import type { Logger } from "../../common/logger.js";
import { type CheckResult, failedDemanded } from "../../doctor/check-result.js";
import { checkNetwork } from "../../doctor/network/checks.js";
import { readPolicyFile } from "../../policy/policy-file.js";
import { networkDemand } from "../network-demand.js";
import { NETWORK_WATCH } from "./limits.js";

/** What `watchNetwork` takes. */
export interface NetworkWatchOptions {
  /** The policy's file, read again for each check, since the daemon follows it. */
  readonly policy: string;
  /** The namespace's name or path, or the process's own. */
  readonly netns: string | undefined;
  readonly logger: Logger;
  /** Replaces the check of the machine, in tests. */
  readonly check?: () => Promise<readonly CheckResult[]>;
  /** Default: `NETWORK_WATCH`. */
  readonly times?: { readonly checkMs: number; readonly recheckMs: number };
}

/** Checks at once, and then every minute. Returns a function that stops it. */
export function watchNetwork(options: NetworkWatchOptions): () => void {
  const { logger, check = () => checkByPolicy(options), times = NETWORK_WATCH } = options;
  let timer: NodeJS.Timeout | undefined;
  let ended = false;
  /** The fixes already logged, by check. */
  let warned: ReadonlyMap<string, string> = new Map();
  const schedule = (ms: number, act: () => Promise<void>): void => {
    if (ended) return;
    timer = setTimeout(() => {
      act().catch((error: unknown) => {
        logger.error({ err: error }, "the machine's network could not be checked");
        schedule(times.checkMs, first);
      });
    }, ms).unref();
  };
  const first = async (): Promise<void> => {
    const bad = failed(await check());
    // Checks a second time before it warns: the daemon may be about to fix it itself.
    if (changed(bad, warned)) schedule(times.recheckMs, second);
    else schedule(times.checkMs, first);
  };
  const second = async (): Promise<void> => {
    const bad = failed(await check());
    if (ended) return;
    for (const { name, evidence, fix } of bad.values())
      if (warned.get(name) !== fix) logger.warn({ check: name, fix }, `${name}: ${evidence}; to fix it: ${fix}`);
    for (const name of warned.keys()) if (!bad.has(name)) logger.info({ check: name }, `${name}: it is fixed`);
    warned = new Map([...bad.values()].map(({ name, fix }) => [name, fix ?? ""]));
    schedule(times.checkMs, first);
  };
  schedule(0, first);
  return () => {
    ended = true;
    clearTimeout(timer);
  };
}

async function checkByPolicy({ policy: file, netns }: NetworkWatchOptions): Promise<readonly CheckResult[]> {
  const { policy } = await readPolicyFile(file, { absent: "empty" });
  const demand = networkDemand(policy);
  return demand.firewall || demand.vxlan ? checkNetwork(netns, demand) : [];
}

function failed(checks: readonly CheckResult[]): ReadonlyMap<string, CheckResult> {
  return new Map(failedDemanded(checks).map((one) => [one.name, one]));
}

function changed(bad: ReadonlyMap<string, CheckResult>, warned: ReadonlyMap<string, string>): boolean {
  return bad.size !== warned.size || [...bad.values()].some(({ name, fix }) => warned.get(name) !== fix);
}
