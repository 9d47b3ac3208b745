/** `resolver`, in the worker: takes queries from the host half, calls the plugin's handlers, and sends the answers. */
import { randomUUID } from "node:crypto";
import { isJsonObject, type Json } from "../../driverapi/json.js";
import type { Endowment, HostPort } from "../permission.js";
import type { NameQuery, QueryHandler } from "../powers.js";
import { kindOf, overLimit, textOf, wrongArgument } from "../refusal.js";
import { requestEvents } from "../request-events.js";
import { bytesOf } from "../text-globals/encoding.js";
import type { ResolverLimits } from "./grant.js";
import { RESOLVER } from "./limits.js";

/** Longest address or name of a link, in UTF-16 units. */
const TEXT_CHARS = 256;

/**
 * `powers.resolver`: see `ResolverPower`. All methods are async and reject with `ERR_PERMISSION_ARGUMENT`, `ERR_RESOLVER_REFUSED`
 * (naming the rule) or `ERR_RESOLVER_FAILED`.
 */
export function endow({ upstreams }: Pick<ResolverLimits, "upstreams">, port: HostPort): Endowment {
  const handlers = new Map<string, QueryHandler>();
  const worker = randomUUID();
  let taking = false;

  const answer = async (query: NameQuery, id: number, answered: () => void): Promise<void> => {
    let said: readonly Json[] = [];
    try {
      const given: unknown = await handlers.get(query.ip)?.(query);
      if (given !== undefined && given !== null) said = readAnswer(given);
    } catch {
      // A query whose handler fails gets no answer: the client asks again.
    }
    port.notify("resolver.answer", [id, ...said]);
    answered();
  };

  /**
   * Answers queries, and resolves with the next ones. The request for those goes with the last answer, since what is sent before an answer
   * delays it; answers that take longer than this turn of the loop are not waited for.
   */
  const serve = (queries: readonly Json[]): Promise<Json | undefined> =>
    new Promise((resolve) => {
      let open = queries.length;
      let asked = false;
      const ask = (): void => {
        if (asked) return;
        asked = true;
        clearImmediate(turn);
        resolve(requestEvents(port, "resolver.next", () => (handlers.size > 0 ? [worker] : undefined)));
      };
      const answered = (): void => {
        if (--open === 0) ask();
      };
      const turn = setImmediate(ask);
      if (queries.length === 0) ask();
      for (const query of queries) {
        const read = readQuery(query);
        if (read) void answer(read.query, read.id, answered);
        else answered();
      }
    });

  /** Takes queries until no handler is left, or the permission is revoked. */
  const take = async (): Promise<void> => {
    if (taking) return;
    taking = true;
    try {
      let queries: readonly Json[] = [];
      do {
        const given = await serve(queries);
        queries = Array.isArray(given) ? given : [];
      } while (queries.length > 0 || handlers.size > 0);
    } catch {
      // The permission was revoked.
    } finally {
      taking = false;
    }
  };

  return {
    power: {
      upstreams: [...upstreams],
      listen: async (spec: unknown, handler: unknown): Promise<void> => {
        if (typeof handler !== "function")
          throw wrongArgument(`resolver.listen: the handler must be a function, not ${kindOf(handler)}`);
        const { bridge, ip } = fieldsOf("listen", spec, ["bridge", "ip"]);
        await port.request("resolver.listen", [{ bridge, ip } as Json]);
        handlers.set(ip as string, handler as QueryHandler);
        void take();
      },
      stop: async (spec: unknown): Promise<void> => {
        const { ip } = fieldsOf("stop", spec, ["ip"]);
        await port.request("resolver.stop", [{ ip } as Json]);
        handlers.delete(ip as string);
      },
      ask: async (server: unknown, message: unknown, options?: unknown): Promise<Uint8Array> => {
        const request = {
          server: textOf(server, "resolver.ask: the server", TEXT_CHARS),
          message: base64(message, "resolver.ask: the message", RESOLVER.queryBytes),
          tcp: typeof options === "object" && options !== null && "tcp" in options && options.tcp === true,
        };
        return bytes((await port.request("resolver.ask", [request])) as string);
      },
    },
  };
}

function fieldsOf(op: string, spec: unknown, names: readonly string[]): Readonly<Record<string, string>> {
  if (typeof spec !== "object" || spec === null)
    throw wrongArgument(`resolver.${op}: its argument must be an object, not ${kindOf(spec)}`);
  const given = spec as Readonly<Record<string, unknown>>;
  return Object.fromEntries(names.map((name) => [name, textOf(given[name], `resolver.${op}: ${name}`, TEXT_CHARS)]));
}

/** Reads what a handler returns: a message, or one that may be given again. */
function readAnswer(given: unknown): readonly Json[] {
  if (ArrayBuffer.isView(given) || typeof given !== "object" || given === null)
    return [base64(given, "the answer", RESOLVER.messageBytes)];
  const { message, keepMs } = given as { readonly message?: unknown; readonly keepMs?: unknown };
  if (typeof keepMs !== "number" || !(keepMs >= 0))
    throw wrongArgument(`the answer's keepMs must be milliseconds, not ${kindOf(keepMs)}`);
  return [base64(message, "the answer's message", RESOLVER.messageBytes), Math.min(keepMs, RESOLVER.keepMs)];
}

function base64(value: unknown, what: string, most: number): string {
  if (!ArrayBuffer.isView(value)) throw wrongArgument(`${what} must be a Uint8Array, not ${kindOf(value)}`);
  const view = bytesOf(what, value);
  if (view.byteLength > most) throw overLimit(`${what} has ${view.byteLength} bytes; at most ${most} are taken`);
  return Buffer.from(view.buffer, view.byteOffset, view.byteLength).toString("base64");
}

/** Returns bytes in a buffer of their own: Node's may be a part of a shared one. */
function bytes(text: string): Uint8Array {
  return new Uint8Array(Buffer.from(text, "base64"));
}

function readQuery(query: Json): { readonly id: number; readonly query: NameQuery } | undefined {
  if (!isJsonObject(query)) return undefined;
  const { id, ip, from, tcp, message } = query;
  if (typeof id !== "number" || typeof ip !== "string" || typeof from !== "string" || typeof message !== "string")
    return undefined;
  return { id, query: { ip, from, tcp: tcp === true, message: bytes(message) } };
}
