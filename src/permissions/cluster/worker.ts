/** `cluster`, in the worker: every call of `powers.cluster` is one request to the host half; events are taken for the plugin's handlers. */
import { randomUUID } from "node:crypto";
import { isJsonObject, type Json, type JsonObject } from "../../driverapi/json.js";
import { LIMITS } from "../../protocol/limits.js";
import type { Endowment, HostPort } from "../permission.js";
import { plainJson } from "../plain-json.js";
import type { ClusterEntry, ClusterEvent, ClusterHandler } from "../powers.js";
import { kindOf, overLimit, textOf, wrongArgument } from "../refusal.js";
import { requestEvents } from "../request-events.js";
import type { ClusterLimits } from "./grant.js";
import { CLUSTER } from "./limits.js";

/**
 * `powers.cluster`: see `ClusterPower`. All methods are async and reject with `ERR_PERMISSION_ARGUMENT`, `ERR_CLUSTER_REFUSED` (naming the
 * rule), `ERR_CLUSTER_FAILED` or `ERR_CLUSTER_UNKNOWN`.
 */
export function endow(_limits: ClusterLimits, port: HostPort): Endowment {
  const worker = randomUUID();
  const handlers = new Map<number, ClusterHandler>();
  const leases = new Set<string>();
  let nextId = 1;
  /** Counts requests for events; only the latest is followed by another. */
  let turn = 0;
  let taking = false;
  let handling = false;

  /** Calls the handlers: those of one watch in order, each after the one before has settled. A handler that throws is a stray throw. */
  const handle = async (events: readonly Json[]): Promise<void> => {
    const chains = new Map<number, Promise<void>>();
    for (const one of events) {
      if (!isJsonObject(one) || typeof one.watch !== "number") continue;
      const { watch } = one;
      const call = async (): Promise<void> => handlers.get(watch)?.(readEvent(one));
      chains.set(watch, (chains.get(watch) ?? Promise.resolve()).then(call));
    }
    handling = true;
    try {
      await Promise.all(chains.values());
    } finally {
      handling = false;
      if (taking) take();
    }
  };

  /** Asks for events while there is a watch or a lease; asking also shows the host that the plugin is alive. */
  const take = (): void => {
    taking = handlers.size > 0 || leases.size > 0;
    if (!taking) return;
    const mine = ++turn;
    const args = (): readonly Json[] | undefined => (mine === turn ? [worker, !handling] : undefined);
    requestEvents(port, "cluster.next", args).then(
      (events) => {
        if (Array.isArray(events) && events.length > 0) void handle(events);
        // Also while handlers run: then it only shows that the worker lives.
        if (mine === turn) take();
      },
      (error: unknown) => {
        // The permission was revoked, or the plugin is being stopped.
        if (mine !== turn) return;
        taking = false;
        const code = String((error as { readonly code?: unknown } | null)?.code ?? "ERR_CLUSTER_FAILED");
        const ended = [...handlers.values()];
        handlers.clear();
        // Nothing follows that a handler which fails now could miss.
        for (const handler of ended)
          void Promise.resolve({ type: "end", code } as const)
            .then(handler)
            .catch(() => {});
      },
    );
  };

  const ask = (op: string, request: JsonObject): Promise<Json> => port.request(`cluster.${op}`, [request]);
  const key = (op: string, value: unknown): string => textOf(value, `cluster.${op}: the key`, CLUSTER.keyBytes);

  return {
    power: {
      get: async (name: unknown): Promise<ClusterEntry | null> => {
        const entry = await ask("get", { key: key("get", name) });
        return entry === null ? null : readEntry(entry);
      },
      list: async (prefix: unknown = ""): Promise<{ entries: readonly ClusterEntry[]; revision: number }> =>
        readListing(await ask("list", { prefix: textOf(prefix, "cluster.list: the prefix", CLUSTER.keyBytes) })),
      create: async (name: unknown, value: unknown): Promise<Json> =>
        ask("create", { key: key("create", name), value: plain("create", value, CLUSTER.valueBytes) }),
      compareAndSet: async (name: unknown, revision: unknown, value: unknown): Promise<Json> =>
        ask("compareAndSet", {
          key: key("compareAndSet", name),
          revision: whole("compareAndSet", "the revision", revision),
          value: plain("compareAndSet", value, CLUSTER.valueBytes),
        }),
      delete: async (name: unknown, revision?: unknown): Promise<boolean> => {
        const only = revision === undefined ? {} : { revision: whole("delete", "the revision", revision) };
        const own = key("delete", name);
        leases.delete(own);
        return (await ask("delete", { key: own, ...only })) !== null;
      },
      watch: async (prefix: unknown, handler: unknown, options?: unknown): Promise<number> => {
        if (typeof handler !== "function")
          throw wrongArgument(`cluster.watch: the handler must be a function, not ${kindOf(handler)}`);
        const from = typeof options === "object" && options !== null && "from" in options ? options.from : undefined;
        const request = {
          worker,
          // Chosen here: events may arrive before the reply.
          id: nextId++,
          prefix: textOf(prefix, "cluster.watch: the prefix", CLUSTER.keyBytes),
          ...(from === undefined ? {} : { from: whole("watch", "from", from) }),
        };
        handlers.set(request.id, handler as ClusterHandler);
        try {
          await ask("watch", request);
        } catch (error) {
          handlers.delete(request.id);
          throw error;
        }
        if (!taking) take();
        return request.id;
      },
      unwatch: async (id: unknown): Promise<void> => {
        handlers.delete(whole("unwatch", "the watch", id));
        await ask("unwatch", { worker, id: id as number });
      },
      lease: async (name: unknown, value: unknown): Promise<Json> => {
        const request = {
          worker,
          name: textOf(name, "cluster.lease: the name", CLUSTER.keyBytes),
          value: plain("lease", value, CLUSTER.leaseValueBytes),
        };
        const held = await ask("lease", request);
        leases.add(held as string);
        if (!taking) take();
        return held;
      },
    },
  };
}

function readEntry(entry: Json): ClusterEntry {
  const { key, text, revision } = entry as { readonly key: string; readonly text: string; readonly revision: number };
  return { key, value: JSON.parse(text) as Json, revision };
}

function readListing(listing: Json): { readonly entries: readonly ClusterEntry[]; readonly revision: number } {
  const { entries, revision } = listing as { readonly entries: readonly Json[]; readonly revision: number };
  return { entries: entries.map(readEntry), revision };
}

function readEvent(event: JsonObject): ClusterEvent {
  switch (event.type) {
    case "put":
      return { type: "put", ...readEntry(event) };
    case "resync":
      return { type: "resync", ...readListing(event) };
    default: {
      const { watch: _, ...rest } = event;
      return rest as unknown as ClusterEvent;
    }
  }
}

function whole(op: string, what: string, value: unknown): number {
  if (typeof value === "number" && Number.isSafeInteger(value)) return value;
  throw wrongArgument(`cluster.${op}: ${what} must be a whole number, not ${kindOf(value)}`);
}

/** Copies a plugin's value as JSON, so that what is sent is what was checked. */
function plain(op: string, value: unknown, most: number): Json {
  const bounds = { depth: LIMITS.jsonDepth - 2, nodes: LIMITS.jsonNodes / 2, chars: most };
  const copy = plainJson(`cluster.${op}: the value`, value, bounds);
  const bytes = Buffer.byteLength(JSON.stringify(copy));
  if (bytes > most) throw overLimit(`cluster.${op}: the value has ${bytes} bytes of JSON; at most ${most} are taken`);
  return copy;
}
