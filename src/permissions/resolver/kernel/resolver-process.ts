/** A resolver's process: how it is started, its orders and what it sends. */
import { fileURLToPath } from "node:url";
import { ServiceProcess } from "../../netlink/kernel/service-process.js";
import type { Query } from "../backend.js";
import { RESOLVER } from "../limits.js";
import type { Order, Said } from "../server/messages.js";

const SCRIPT = fileURLToPath(new URL("../server/main.js", import.meta.url));

/** An order that gets a reply, without its id. */
export type Asked = Order extends infer O ? (O extends { readonly id: number } ? Omit<O, "id"> : never) : never;

/** The result of an order. */
export type Outcome = Omit<Extract<Said, { readonly id: number }>, "id">;

/** What a resolver's process reports. */
export interface ProcessEvents {
  log(text: string): void;
  heard(query: Query, from: ServiceProcess): void;
}

/** Starts a resolver in a namespace (a path; undefined: the platform's own). Rejects with its output if it does not become ready. */
export function startResolver(netns: string | undefined, { log, heard }: ProcessEvents): Promise<ServiceProcess> {
  return ServiceProcess.start({
    name: "the resolver's process",
    netns,
    script: SCRIPT,
    heapMb: RESOLVER.heapMb,
    readyMs: RESOLVER.readyMs,
    lineBytes: RESOLVER.lineBytes,
    log,
    heard: ({ query }, from) => {
      if (query !== undefined) heard(query as unknown as Query, from);
    },
  });
}

/** Sends an order. Rejects if the process ends meanwhile; terminates it if it does not reply within `ms`. */
export async function order(resolver: ServiceProcess, asked: Asked, ms: number): Promise<Outcome> {
  const { code, message } = await resolver.ask(asked, ms);
  return {
    ...(typeof code === "string" ? { code } : {}),
    ...(typeof message === "string" ? { message } : {}),
  };
}
