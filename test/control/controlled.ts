/** A host with a control socket, and what a test asks of it. */
import { request } from "node:http";
import { ControlClient } from "#dist/control/client.js";
import type { PluginHost, PluginHostOptions } from "#dist/index.js";
import type { TestContext } from "../harness.js";
import { type House, house } from "../kit/host.js";

export interface Controlled {
  readonly home: House;
  readonly host: PluginHost;
  readonly socket: string;
  readonly client: ControlClient;
}

export async function controlled(
  t: TestContext,
  files: Readonly<Record<string, string>>,
  options: Partial<PluginHostOptions> = {},
): Promise<Controlled> {
  const home = await house(t, files);
  const host = await home.open({ dataDir: home.path("data"), ...options });
  const { path: socket } = await host.control(home.path("data/control.sock"));
  return { home, host, socket, client: new ControlClient(socket) };
}

export interface RawReply {
  readonly status: number;
  // biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever comes.
  readonly body: any;
}

/** Sends a request as any client may. */
export function raw(socket: string, method: string, path: string, body?: string): Promise<RawReply> {
  return new Promise((resolve, reject) => {
    const sent = request({ socketPath: socket, method, path, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(text) }));
    });
    sent.on("error", reject);
    sent.end(body);
  });
}
