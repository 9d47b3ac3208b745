/** `bulkhead serve --metrics`: serves the host's metrics, and nothing else, to Prometheus on a TCP port. */
import { isIP } from "node:net";
import type { Logger } from "../../common/logger.js";
import { hostName, httpUrl, isLoopback, type TcpAddress } from "../../common/tcp-address.js";
import { closeTcp, createTcpServer, listenTcp } from "../../common/tcp-server.js";
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import type { PluginHost } from "../../host/plugin-host.js";
import { METRICS_SERVER } from "./limits.js";

/** Prometheus' text format. */
const CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Serves `GET /metrics` until the returned function is called. Rejects with `ERR_OPTIONS` if the address cannot be used. */
export async function serveMetrics(
  host: Pick<PluginHost, "metrics">,
  at: TcpAddress,
  logger: Logger,
): Promise<{ readonly url: string; close(): Promise<void> }> {
  const server = createTcpServer(METRICS_SERVER, (request, response) => {
    // A web page may have its own name point at this address; it is not to read what answers here.
    if (isLoopback(at.host) && !isLocalName(request.headers.host)) {
      response.writeHead(403, { "content-type": "text/plain" }).end("name this host by its address or as localhost\n");
      return;
    }
    if (request.method !== "GET" || request.url?.split("?", 1)[0] !== "/metrics") {
      response.writeHead(404, { "content-type": "text/plain" }).end("GET /metrics is all there is\n");
      return;
    }
    host.metrics().then(
      (text) => response.writeHead(200, { "content-type": CONTENT_TYPE }).end(text),
      (error: unknown) => {
        logger.error({ err: error }, `the metrics could not be read: ${messageOf(error)}`);
        response.writeHead(500).end();
      },
    );
  });
  const port = await listenTcp(server, at, "metrics", logger).catch((error: Error) => {
    throw new DriverError("ERR_OPTIONS", `metrics cannot be served at ${at.host}:${at.port}: ${error.message}`);
  });
  const url = httpUrl({ host: at.host, port }, "/metrics");
  if (!isLoopback(at.host))
    logger.warn({ url }, `${url} is open to everyone who can reach that address: it shows plugins, types and counts`);
  return { url, close: () => closeTcp(server) };
}

/** True for `localhost` and for an address, with a port or without. */
function isLocalName(header: string | undefined): boolean {
  const name = hostName(header);
  return name === "localhost" || isIP(name) !== 0;
}
