/** A TCP proxy before a store, which a test makes lose what it likes: the network between a host and its store. */
import { once } from "node:events";
import { connect, createServer, type Socket } from "node:net";
import type { TestContext } from "../../harness.js";

/** "pass": as a cable. "dead": nothing passes either way, and nothing is closed. */
export type Weather = "pass" | "dead";

/** A running proxy. */
export interface Proxy {
  readonly url: string;
  weather: Weather;
  /** Part of a request: from it on, a connection that has it gets no reply. */
  losing: string | undefined;
  /** Part of a request: from it on, what a connection that has it sends is kept until `release`. */
  holding: string | undefined;
  /** Sends what was kept, and resolves when the store has replied to all of it. */
  release(): Promise<void>;
  /** Closes all connections; new ones are accepted. */
  cut(): void;
}

/** Starts one before `port`. It ends with the test. */
export async function startProxy(t: TestContext, port: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const held: { readonly far: Socket; chunks: Buffer[] }[] = [];
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    let lost = false;
    let kept: (typeof held)[number] | undefined;
    for (const [one, other] of [[near, far] as const, [far, near] as const]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        // What is kept on the way outlives the host's end of the connection.
        if (one === far || !kept) other.destroy();
      });
    }
    near.on("data", (chunk) => {
      if (proxy.weather === "dead") return;
      if (proxy.losing !== undefined && chunk.includes(proxy.losing)) lost = true;
      if (!kept && proxy.holding !== undefined && chunk.includes(proxy.holding)) {
        kept = { far, chunks: [] };
        held.push(kept);
      }
      if (kept) kept.chunks.push(chunk);
      else far.write(chunk);
    });
    far.on("data", (chunk) => {
      if (proxy.weather === "pass" && !lost && !near.destroyed) near.write(chunk);
    });
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  t.cleanup(async () => {
    server.close();
    cut();
    await once(server, "close");
  });
  const proxy: Proxy = {
    url: `http://127.0.0.1:${address.port}`,
    weather: "pass",
    losing: undefined,
    holding: undefined,
    async release() {
      proxy.holding = undefined;
      for (const { far, chunks } of held.splice(0)) {
        const replied = once(far, "data");
        for (const chunk of chunks) far.write(chunk);
        await replied;
      }
    },
    cut,
  };
  return proxy;
}
