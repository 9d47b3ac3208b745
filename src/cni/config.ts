/** A CNI network configuration, as the runtime passes it to one plugin. Unknown fields are other plugins'. */
import { z } from "../common/zod.js";
import type { JsonObject } from "../driverapi/json.js";
import { CniFailure } from "./failure.js";
import { type OwnIpam, parseIpam } from "./ipam.js";
import { type CniResult, cniResult } from "./result.js";
import { CNI_VERSIONS, type CniVersion } from "./versions.js";

export interface PortMapping {
  readonly hostPort: number;
  readonly containerPort: number;
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly hostIP: string;
}

export interface CniConfig {
  readonly cniVersion: CniVersion;
  readonly name: string;
  /** The network type; undefined: the executable's. */
  readonly driver: string | undefined;
  readonly options: JsonObject;
  readonly internal: boolean;
  readonly isDefaultGateway: boolean;
  readonly ipam: OwnIpam;
  readonly dns: JsonObject | undefined;
  readonly portMappings: readonly PortMapping[];
  /** True if the runtime itself binds the ports that it passes. */
  readonly runtimeBindsPorts: boolean;
  /** Static addresses of `runtimeConfig` or `args.cni`. */
  readonly ips: readonly string[];
  readonly mac: string;
  readonly prevResult: CniResult | undefined;
  /** For GC: the attachments that the runtime knows. */
  readonly valid: readonly { readonly containerID: string; readonly ifname: string }[] | undefined;
}

const object: z.ZodType<JsonObject> = z.record(z.string(), z.json()) as z.ZodType<JsonObject>;
const port = z.int().min(0).max(65_535);
const protocol = z.preprocess(
  (value) => (typeof value === "string" ? value.toLowerCase() : value),
  z.enum(["tcp", "udp", "sctp"]),
);
const addresses = z.array(z.string().max(64)).max(2);
const attachmentList = z.array(z.object({ containerID: z.string(), ifname: z.string() })).nullish();
const MAPPINGS = 256;

const schema = z.object({
  name: z
    .string()
    .max(1_024)
    .regex(/^[A-Za-z0-9][A-Za-z0-9_.-]*$/),
  driver: z.string().min(1).max(64).optional(),
  options: object.nullish(),
  internal: z.boolean().optional(),
  isDefaultGateway: z.boolean().optional(),
  runtimeBindsPorts: z.boolean().optional(),
  ipam: z.unknown().optional(),
  dns: object.nullish(),
  runtimeConfig: z
    .object({
      portMappings: z
        .array(
          z.object({
            hostPort: port,
            containerPort: port.min(1),
            protocol: protocol.default("tcp"),
            hostIP: z.string().max(64).nullish(),
          }),
        )
        .max(MAPPINGS)
        .nullish(),
      ips: addresses.nullish(),
      mac: z.string().max(64).nullish(),
    })
    .nullish(),
  args: z
    .object({ cni: z.object({ ips: addresses.nullish(), mac: z.string().max(64).nullish() }).nullish() })
    .nullish(),
  prevResult: cniResult.nullish(),
  "cni.dev/valid-attachments": attachmentList,
  "cni.dev/attachments": attachmentList,
});

/** Returns the version that a configuration names, for its error; undefined if that version is not supported. */
export function versionOf(value: unknown): CniVersion | undefined {
  const { cniVersion } = (value ?? {}) as { readonly cniVersion?: unknown };
  return CNI_VERSIONS.find((one) => one === cniVersion);
}

/** Parses the text. Throws `CniFailure`. */
export function decode(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new CniFailure("decode", "the network configuration on standard input is not JSON", String(error));
  }
}

/** Checks a configuration. Throws `CniFailure`, which names the field. */
export function parseConfig(value: unknown): CniConfig {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new CniFailure("decode", "the network configuration on standard input is not an object");
  const cniVersion = versionOf(value);
  if (cniVersion === undefined) {
    const named = JSON.stringify((value as { cniVersion?: unknown }).cniVersion ?? "0.1.0").slice(0, 64);
    throw new CniFailure(
      "version",
      `cniVersion ${named} is not spoken; write one of ${CNI_VERSIONS.join(", ")} in the network configuration`,
    );
  }
  const read = schema.safeParse(value);
  if (!read.success) {
    const [issue] = read.error.issues;
    throw new CniFailure("config", `the network configuration: ${issue?.path.join(".")}: ${issue?.message}`);
  }
  const { data } = read;
  const mappings = data.runtimeConfig?.portMappings ?? [];
  return {
    cniVersion,
    name: data.name,
    driver: data.driver,
    options: data.options ?? {},
    internal: data.internal ?? false,
    isDefaultGateway: data.isDefaultGateway ?? false,
    ipam: parseIpam(data.ipam),
    dns: data.dns ?? undefined,
    runtimeBindsPorts: data.runtimeBindsPorts ?? false,
    // A mapping without a host's port names a port that is not published.
    portMappings: mappings
      .filter(({ hostPort }) => hostPort !== 0)
      .map(({ hostIP, ...rest }) => ({ ...rest, hostIP: hostIP ?? "" })),
    ips: data.runtimeConfig?.ips ?? data.args?.cni?.ips ?? [],
    mac: data.runtimeConfig?.mac || data.args?.cni?.mac || "",
    prevResult: data.prevResult ?? undefined,
    valid: data["cni.dev/valid-attachments"] ?? data["cni.dev/attachments"] ?? undefined,
  };
}
