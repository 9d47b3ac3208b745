/**
 * Asks an engine for the names of containers. The engine may hold locks while it waits for this daemon, so the wait is short, and
 * no reply is normal.
 */
import { existsSync } from "node:fs";
import { z } from "../common/zod.js";
import { DOCKER } from "./limits.js";
import { unixJson } from "./unix-request.js";

/** A container on a network. */
export interface ContainerEnd {
  readonly container: string;
  readonly network: string;
}

/** Docker's own rule for names; anything else is not shown. */
const name = z.string().regex(/^\/?[a-zA-Z0-9][a-zA-Z0-9_.-]{0,254}$/);
const containerSchema = z.object({
  Names: z.array(name).min(1),
  NetworkSettings: z.object({ Networks: z.record(z.string(), z.object({ EndpointID: z.string() })) }),
});

/** Returns the running containers by the ids of their endpoints; none if the engine does not reply in time. Never rejects. */
export async function readContainers(engine: string | undefined): Promise<ReadonlyMap<string, ContainerEnd>> {
  const ends = new Map<string, ContainerEnd>();
  if (engine === undefined || !existsSync(engine)) return ends;
  const { engineMs: ms, engineBytes: maxBytes } = DOCKER;
  const list = await unixJson({ socketPath: engine, method: "GET", path: "/containers/json", ms, maxBytes });
  for (const row of Array.isArray(list) ? list : []) {
    const read = containerSchema.safeParse(row);
    if (!read.success) continue;
    const { Names, NetworkSettings } = read.data;
    const container = (Names[0] ?? "").replace(/^\//, "");
    for (const [network, { EndpointID }] of Object.entries(NetworkSettings.Networks))
      if (EndpointID !== "" && name.safeParse(network).success) ends.set(EndpointID, { container, network });
  }
  return ends;
}
