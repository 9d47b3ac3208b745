/** What of an engine's own API the gateway asks, on a socket of the test's. */
import { createServer, type RequestListener } from "node:http";
import { join } from "node:path";
import type { TestContext } from "../harness.js";

export interface Named {
  readonly name: string;
  readonly network: string;
  readonly endpoint: string;
}

/** An engine that has these containers. Resolves with its socket. */
export function engineWith(t: TestContext, containers: readonly Named[]): Promise<string> {
  const list = containers.map(({ name, network, endpoint }) => ({
    Id: "f".repeat(64),
    Names: [`/${name}`],
    NetworkSettings: { Networks: { [network]: { NetworkID: "n", EndpointID: endpoint, IPAddress: "" } } },
  }));
  return engineThat(t, (request, response) => {
    if (request.method === "GET" && request.url === "/containers/json") response.end(JSON.stringify(list));
    else response.writeHead(404).end("{}");
  });
}

/** An engine that answers as it likes. */
export async function engineThat(t: TestContext, answers: RequestListener): Promise<string> {
  const path = join(await t.folder(), "docker.sock");
  const server = createServer(answers);
  await new Promise<void>((resolve) => server.listen(path, resolve));
  t.cleanup(() => {
    server.closeAllConnections();
    server.close();
  });
  return path;
}
