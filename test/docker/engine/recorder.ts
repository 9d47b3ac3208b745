/** Stands between engine and daemon under a driver name of its own, passes every request on, and remembers it. */

import { once } from "node:events";
import { rmSync } from "node:fs";
import { createServer, type IncomingMessage, request, type Server } from "node:http";
import { type Play, SOCKETS } from "./play.js";

/** The driver's name to the engine. */
export const RECORDED = "recorded";

/** How the table writes the protocol's methods. */
const SHORT: Readonly<Record<string, string>> = {
  CreateNetwork: "CN",
  DeleteNetwork: "DN",
  CreateEndpoint: "CE",
  DeleteEndpoint: "DE",
  EndpointOperInfo: "O",
  ProgramExternalConnectivity: "P",
  RevokeExternalConnectivity: "R",
  Leave: "L",
};

interface Body {
  readonly NetworkID?: string;
  readonly Options?: Readonly<Record<string, unknown>> | null;
}

export class Recorder {
  readonly #server: Server;
  readonly #socket: string;
  /** The networks in the order of their creation; the table calls them a, b, … */
  readonly #networks: string[] = [];
  #calls: string[] = [];

  private constructor(server: Server, socket: string) {
    this.#server = server;
    this.#socket = socket;
  }

  /** Serves `RECORDED` to the engine; the requests reach the daemon's driver `type`. */
  static async open(play: Play, type: string): Promise<Recorder> {
    const server = createServer();
    const recorder = new Recorder(server, play.stage.seen(`${SOCKETS}/${RECORDED}.sock`));
    const behind = (): string => play.stage.seen(`${SOCKETS}/${play.daemon.prefix}${type}.sock`);
    server.on("request", async (asked, answer) => {
      const body = await text(asked);
      recorder.#note(asked.url ?? "", body);
      const options = { socketPath: behind(), path: asked.url, method: "POST", agent: false, headers: asked.headers };
      const passed = request(options, (reply) => {
        answer.writeHead(reply.statusCode ?? 500, reply.headers);
        reply.pipe(answer);
      });
      passed.once("error", () => answer.destroy());
      passed.end(body);
    });
    server.keepAliveTimeout = 0;
    server.listen(recorder.#socket);
    await once(server, "listening");
    return recorder;
  }

  /** The calls since the last time, as the table writes them. */
  taken(): string {
    const calls = this.#calls;
    this.#calls = [];
    return calls.join(" ");
  }

  async close(): Promise<void> {
    const closed = once(this.#server, "close");
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
    rmSync(this.#socket, { force: true });
  }

  /** A call: its method, its network's letter, and "+" where it brings ports. */
  #note(url: string, body: string): void {
    const [, method] = /^\/NetworkDriver\.(\w+)$/.exec(url) ?? [];
    if (method === undefined) return;
    const { NetworkID, Options } = JSON.parse(body || "{}") as Body;
    if (NetworkID === undefined) return void this.#calls.push(method);
    if (method === "CreateNetwork") this.#networks.push(NetworkID);
    const letter = String.fromCharCode(97 + this.#networks.indexOf(NetworkID));
    const map = Options?.["com.docker.network.portmap"];
    const ports = Array.isArray(map) && map.length > 0 ? "+" : "";
    this.#calls.push(`${SHORT[method] ?? method}(${letter}${ports})`);
  }
}

async function text(asked: IncomingMessage): Promise<string> {
  let all = "";
  for await (const part of asked.setEncoding("utf8")) all += part;
  return all;
}
