/** Reads the subnets of Podman's networks from its files: Podman refuses a subnet that another of its networks has. Touches `fs`. */
import { readdir } from "node:fs/promises";
import { join } from "node:path";
import ipaddr from "ipaddr.js";
import { z } from "../common/zod.js";
import { readRegularFile } from "../policy/manifest/read-file.js";
import { PODMAN } from "./limits.js";

/** Where Podman keeps root's networks. */
const FOLDER = "/etc/containers/networks";

const schema = z.object({
  subnets: z.array(z.object({ subnet: z.string() })).nullish(),
});

/** Skips what cannot be read: Podman itself checks the subnets that it is given. */
export async function knownSubnets(folder: string = FOLDER): Promise<readonly string[]> {
  const names = await readdir(folder).catch(() => []);
  const subnets: string[] = [];
  for (const name of names.filter((one) => one.endsWith(".json")).slice(0, PODMAN.networkFiles)) {
    const read = await readRegularFile(join(folder, name), { maxBytes: PODMAN.networkFileBytes });
    if (read.kind !== "read") continue;
    const network = schema.safeParse(parsed(read.text));
    subnets.push(...(network.data?.subnets ?? []).map(({ subnet }) => subnet).filter((one) => ipaddr.isValidCIDR(one)));
  }
  return subnets;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
