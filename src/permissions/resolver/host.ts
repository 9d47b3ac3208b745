/** `resolver`, on the host's side: reads one plugin's requests, and passes them to the hub, which judges them. */
import type { Json } from "../../driverapi/json.js";
import type { HostPower, PowerMethod } from "../permission.js";
import { RESOLVER } from "./limits.js";
import { parseRequest, RESOLVER_OPS, type ResolverRequest } from "./request.js";

/** Base64 characters of the longest message. */
const MESSAGE_CHARS = Math.ceil(RESOLVER.messageBytes / 3) * 4;

/** What `createResolverPower` needs. */
export interface ResolverPowerOptions {
  readonly plugin: string;
  /** Judges and carries out. Rejects with `ERR_RESOLVER_REFUSED`, `ERR_RESOLVER_FAILED`, `ERR_PERMISSION_LIMIT`. */
  ask(request: ResolverRequest): Promise<Json>;
  /** Resolves with queries for a worker, which its text names. */
  next(worker: string): Promise<Json>;
  /** Answers a query; without a message, gives it up. `keepMs`: for how long the answer may be given again. */
  answer(id: number, message: string | undefined, keepMs: number): void;
  close(): Promise<void>;
}

/**
 * Serves `resolver.listen [{ bridge, ip }]`, `resolver.stop [{ ip }]` (null), `resolver.ask [{ server, message, tcp }]` (the reply, in
 * base64), `resolver.next [worker]` (queries), and the notice `resolver.answer [id, message?, keepMs?]`.
 */
export function createResolverPower({ plugin, ask, next, answer, close }: ResolverPowerOptions): HostPower {
  const methods = RESOLVER_OPS.map((op): readonly [string, PowerMethod] => [
    `resolver.${op}`,
    async (args) => ask(parseRequest(plugin, op, args)),
  ]);
  return {
    methods: new Map([
      ...methods,
      ["resolver.next", ([worker]: readonly Json[]) => next(typeof worker === "string" ? worker.slice(0, 64) : "")],
    ]),
    notices: new Map([
      [
        "resolver.answer",
        ([id, message, keepMs]: readonly Json[]) => {
          if (typeof id !== "number") return;
          const sendable = typeof message === "string" && message.length <= MESSAGE_CHARS;
          const kept = typeof keepMs === "number" && keepMs > 0 ? Math.min(keepMs, RESOLVER.keepMs) : 0;
          answer(id, sendable ? message : undefined, kept);
        },
      ],
    ]),
    close,
  };
}
