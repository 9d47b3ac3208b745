/**
 * The thread that answers name queries, so that containers' queries cannot block the host's own thread. It gets the whole state with each
 * change.
 */
import { parentPort } from "node:worker_threads";
import { NAMES } from "./limits.js";
import { NameServer } from "./server.js";
import { type NamedNetwork, Zone } from "./zone.js";

/** What the host sends. */
export interface State {
  readonly id: number;
  readonly networks: readonly NamedNetwork[];
}

/** What it is told when each address is bound, or has failed for long enough. */
export interface Bound {
  readonly id: number;
  readonly addresses: readonly string[];
}

let zone = new Zone([]);
const servers = new Map<string, NameServer>();
/** When the first attempt to bind an address was made. */
const tried = new Map<string, number>();
let latest = 0;
/** Serializes changes. */
let line: Promise<void> = Promise.resolve();

parentPort?.on("message", (state: State) => {
  latest = state.id;
  zone = new Zone(state.networks);
  line = line.then(() => serve(state)).catch(() => {});
});

async function serve({ id, networks }: State): Promise<void> {
  const wanted = new Set(networks.flatMap(({ listen }) => listen));
  for (const [address, server] of servers) {
    if (wanted.has(address)) continue;
    server.close();
    servers.delete(address);
  }
  for (const address of tried.keys()) if (!wanted.has(address)) tried.delete(address);
  let missing = await bind(wanted);
  // A later state binds what an earlier one could not.
  while (missing && id === latest) {
    await new Promise((resolve) => setTimeout(resolve, NAMES.rebindMs));
    missing = await bind(wanted);
  }
  const bound: Bound = { id, addresses: [...servers.keys()] };
  parentPort?.postMessage(bound);
}

/** Binds what is not bound yet. Returns true if one more attempt is worth it. */
async function bind(wanted: ReadonlySet<string>): Promise<boolean> {
  let missing = false;
  for (const address of wanted) {
    if (servers.has(address)) continue;
    const now = performance.now();
    const since = tried.get(address) ?? now;
    tried.set(address, since);
    try {
      servers.set(address, await NameServer.open(address, () => zone));
    } catch (error) {
      // The kernel probes a new IPv6 address before it can be used.
      const probed = address.includes(":") && (error as NodeJS.ErrnoException).code === "EADDRNOTAVAIL";
      missing ||= probed && now - since < NAMES.bindMs;
    }
  }
  return missing;
}
