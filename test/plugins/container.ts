/** What a test's container does: a process in its namespace that resolves names, connects and sends, by order. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { TestContext } from "../harness.js";

/** What a query came to. */
export interface Resolved {
  /** "none" if nobody answered. */
  readonly rcode: string;
  readonly data: readonly string[];
  readonly ttl: number;
}

/** An order, and its result. */
export interface Orders {
  /** Asks a name server. */
  readonly resolve: {
    readonly name: string;
    readonly type?: "A" | "AAAA" | undefined;
    readonly server?: string | undefined;
    readonly tcp?: boolean | undefined;
    readonly ms?: number | undefined;
  };
  /** Connects, or sends a datagram: what the other end says, or the error's code. */
  readonly call: {
    readonly ip: string;
    readonly port: number;
    readonly protocol?: "tcp" | "udp" | undefined;
    readonly ms?: number | undefined;
  };
  /** Opens a connection that stays, and sends on it again and again; result: true. */
  readonly stream: { readonly ip: string; readonly port: number };
  /** What came back on the stream since the last time, in bytes, and whether it is still open. */
  readonly streamed: Record<never, never>;
  /** Sends messages to port 53, in base64, each so many times. */
  readonly flood: { readonly server: string; readonly messages: readonly string[]; readonly times: number };
  /**
   * Resolves a name and connects, one time after another; result: the median in milliseconds. `anew`: no query is like another, since its
   * letters are of random case.
   */
  readonly connects: {
    readonly name: string;
    readonly server: string;
    readonly port: number;
    readonly times: number;
    readonly anew?: boolean | undefined;
  };
  /** Reads what a port sends without end for so many milliseconds; result: bytes per millisecond. */
  readonly download: { readonly ip: string; readonly port: number; readonly ms: number };
}

export interface Results {
  readonly resolve: Resolved;
  readonly call: string;
  readonly stream: boolean;
  readonly streamed: { readonly bytes: number; readonly open: boolean };
  readonly flood: boolean;
  readonly connects: number;
  readonly download: number;
}

export type Container = <K extends keyof Orders>(order: K, what: Orders[K]) => Promise<Results[K]>;

/** Starts a container's process in a namespace; it ends with the test. */
export async function containerIn(t: TestContext, netns: string): Promise<Container> {
  const script = fileURLToPath(new URL("container-main.js", import.meta.url));
  const child = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, script], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  t.cleanup(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const waiting = new Map<
    number,
    { readonly resolve: (result: never) => void; readonly reject: (error: Error) => void }
  >();
  let over = false;
  void ended.then(() => {
    over = true;
    for (const { reject } of waiting.values()) reject(new Error("the container's process has ended"));
    waiting.clear();
  });
  let next = 0;
  createInterface({ input: child.stdout }).on("line", (line) => {
    const { id, result } = JSON.parse(line) as { id: number; result: never };
    waiting.get(id)?.resolve(result);
    waiting.delete(id);
  });
  return (order, what) =>
    new Promise((resolve, reject) => {
      if (over) return reject(new Error("the container's process has ended"));
      const id = next++;
      waiting.set(id, { resolve, reject });
      child.stdin.write(`${JSON.stringify({ id, order, what })}\n`);
    });
}
