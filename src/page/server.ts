/**
 * The page's server: a browser's way to the control socket. It serves the page's files, and passes the operations that the page uses to
 * the socket, which checks, bounds and audits them.
 */
import { type IncomingMessage, request, type ServerResponse } from "node:http";
import type { Logger } from "../common/logger.js";
import { httpUrl, isLoopback, type TcpAddress } from "../common/tcp-address.js";
import { closeTcp, createTcpServer, listenTcp } from "../common/tcp-server.js";
import { messageOf } from "../common/text.js";
import { ControlClient } from "../control/client.js";
import { EVENTS_PATH, OPERATIONS, type OperationName, VIA_HEADER } from "../control/operations.js";
import { DriverError } from "../driverapi/errors.js";
import { HEADERS, readAssets } from "./assets.js";
import { refuseForeign } from "./guard.js";
import { History } from "./history.js";
import { PAGE } from "./limits.js";
import { Signatures } from "./signatures.js";
import { pageToken } from "./token.js";

/** What the page can ask of the control socket. */
const PASSED: readonly OperationName[] = [
  ...(["plugins", "plugin", "networks", "calls", "ports"] as const),
  ...(["restart", "quarantine", "start"] as const),
];

/** Path of the charts' data. */
const HISTORY_PATH = "/history";

export interface PageOptions {
  /** With a loopback address. */
  readonly at: TcpAddress;
  /** The control socket's path. */
  readonly control: string;
  readonly dataDir: string;
  readonly logger: Logger;
}

export interface Page {
  readonly url: string;
  /** The token that a browser needs, and its file. */
  readonly token: string;
  readonly tokenFile: string;
  /** Event streams that are open. */
  readonly streams: number;
  close(): Promise<void>;
}

/** Serves the page until it is closed. Rejects with `ERR_OPTIONS` if the address or the token's file cannot be used. */
export async function servePage(options: PageOptions): Promise<Page> {
  const { at, control, dataDir, logger } = options;
  const { host, port } = at;
  if (!isLoopback(host))
    throw new DriverError(
      "ERR_OPTIONS",
      `the page is served on loopback addresses only, not at ${host}: its token would cross the network unencrypted; from another machine, use a tunnel: ssh -L 9465:127.0.0.1:${port} HOST`,
    );
  const [assets, { token, file }] = await Promise.all([readAssets(), pageToken(dataDir)]);
  const history = new History();
  const streams = new Set<ServerResponse>();
  const known = new Signatures(token);
  const server = createTcpServer(PAGE, (incoming, response) => {
    const { method = "GET", headers } = incoming;
    const path = (incoming.url ?? "").split("?", 1)[0] ?? "";
    const foreign = refuseForeign(headers);
    if (foreign) return reply(response, foreign.status, "ERR_CONTROL_REQUEST", foreign.message);
    const asset = method === "GET" ? assets.get(path) : undefined;
    if (asset) return send(response, 200, asset.type, asset.body);
    const unknown = known.refuse(method, incoming.url ?? "", headers);
    if (unknown) return reply(response, unknown.status, "ERR_CONTROL_REQUEST", unknown.message);
    if (method === "GET" && path === HISTORY_PATH) return sendJson(response, 200, history.reply());
    if (isPassed(method, path)) {
      if (path === EVENTS_PATH) {
        streams.add(response);
        response.once("close", () => streams.delete(response));
      }
      return pass(incoming, response, control);
    }
    reply(response, 404, "ERR_CONTROL_REQUEST", "the page does not use this path; use the control socket");
  });
  const bound = await listenTcp(server, at, "the page", logger).catch((error: Error) => {
    throw new DriverError("ERR_OPTIONS", `the page cannot be served at ${host}:${port}: ${error.message}`);
  });
  const stopSampling = sample(new ControlClient(control), history, logger);
  return {
    url: httpUrl({ host, port: bound }, "/"),
    token,
    tokenFile: file,
    get streams() {
      return streams.size;
    },
    close() {
      stopSampling();
      return closeTcp(server);
    },
  };
}

/** Adds samples until the returned function is called. */
function sample(client: ControlClient, history: History, logger: Logger): () => void {
  let failed = false;
  let asking = false;
  const once = async (): Promise<void> => {
    if (asking) return;
    asking = true;
    try {
      const { plugins } = await client.ask("plugins");
      history.add(plugins, Date.now() / 1000);
      failed = false;
    } catch (error) {
      if (!failed) logger.warn({ err: error }, `the page's charts have a gap: ${messageOf(error)}`);
      failed = true;
    } finally {
      asking = false;
    }
  };
  void once();
  const timer = setInterval(() => void once(), PAGE.sampleMs).unref();
  return () => clearInterval(timer);
}

function isPassed(method: string, path: string): boolean {
  if (method === "GET" && path === EVENTS_PATH) return true;
  return PASSED.some((name) => {
    const operation = OPERATIONS[name];
    const [before = "", after] = operation.path.split("{id}");
    if (operation.method !== method) return false;
    if (after === undefined) return path === before;
    const id = path.slice(before.length, path.length - after.length);
    return path.startsWith(before) && path.endsWith(after) && id !== "" && !id.includes("/");
  });
}

/** Passes a request to the control socket, without its headers and body: no operation that the page uses takes any. */
function pass(incoming: IncomingMessage, response: ServerResponse, socketPath: string): void {
  const { method, url: path } = incoming;
  const onward = request(
    { socketPath, method, path, agent: false, headers: { host: "bulkhead", [VIA_HEADER]: "the page" } },
    (answer) => {
      const type = answer.headers["content-type"] ?? "application/json";
      response.writeHead(answer.statusCode ?? 502, { ...HEADERS, "content-type": type });
      response.flushHeaders();
      answer.on("error", () => response.destroy());
      answer.pipe(response);
    },
  );
  onward.on("error", (error) => {
    if (response.headersSent) response.destroy();
    else reply(response, 502, "ERR_NO_DAEMON", `the control socket does not answer: ${error.message}`);
  });
  response.once("close", () => onward.destroy());
  onward.end();
}

function reply(response: ServerResponse, status: number, code: string, message: string): void {
  sendJson(response, status, { code, message });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  send(response, status, "application/json; charset=utf-8", Buffer.from(JSON.stringify(body)));
}

function send(response: ServerResponse, status: number, type: string, body: Buffer): void {
  response.writeHead(status, { ...HEADERS, "content-type": type, "content-length": body.length }).end(body);
}
