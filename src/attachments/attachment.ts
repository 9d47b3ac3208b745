/** One attachment: a container's interface on one network of a platform, and what the daemon keeps of it. */
import { createHash } from "node:crypto";
import { z } from "../common/zod.js";
import type { JsonObject } from "../driverapi/json.js";
import type { SandboxRoute } from "../sandbox/sandbox.js";

/** The platforms whose executables ask the daemon. Each has container ids of its own. */
export const PLATFORMS = ["cni", "podman"] as const;
export type Platform = (typeof PLATFORMS)[number];

/** A pool of a network: its subnet in CIDR form, and the gateway in it; undefined: the driver chooses one. */
export interface PoolSpec {
  readonly subnet: string;
  readonly gateway?: string | undefined;
}

/** A network as a platform describes it. */
export interface NetworkSpec {
  /** The platform's name or id of it: any text. */
  readonly name: string;
  /** The network type. */
  readonly type: string;
  /** The driver's options, as `docker network create --opt` gives them. */
  readonly options: JsonObject;
  /** At most one of each family; for a family without one, the driver's options may name a subnet. */
  readonly pools: readonly PoolSpec[];
  readonly internal: boolean;
}

/** A host port that leads to a container's. */
export interface PortSpec {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly containerPort: number;
  /** 0: any. */
  readonly hostPort: number;
  /** "": all addresses of the host. */
  readonly hostIP: string;
}

/** Identifies an attachment. Each part is any text that is not empty. */
export interface AttachmentKey {
  readonly platform: Platform;
  readonly network: string;
  readonly container: string;
  /** The link's name in the container. */
  readonly interface: string;
}

/** What a platform asks for. */
export interface WantedAttachment extends Omit<AttachmentKey, "network"> {
  readonly network: NetworkSpec;
  /** The path of the container's network namespace. */
  readonly netns: string;
  /** Static addresses, with a prefix length or without; at most one of each family. Others come from the driver's pool. */
  readonly addresses?: readonly string[] | undefined;
  /** True: an IPAM plugin chose the addresses, each with its prefix length, and none comes from the driver's pool. */
  readonly allAddresses?: boolean | undefined;
  readonly mac?: string | undefined;
  readonly ports?: readonly PortSpec[] | undefined;
  /** True if the platform itself binds the ports, so that they are published although they are in use. */
  readonly portsHeld?: boolean | undefined;
  /** Routes besides the driver's. */
  readonly routes?: readonly SandboxRoute[] | undefined;
  readonly defaultRoute?: boolean | undefined;
  /** The driver's options for the endpoint. */
  readonly options?: JsonObject | undefined;
  /** Returns what the platform's part keeps with the attachment, from the attachment as it was made. */
  readonly note?: ((made: Attachment) => JsonObject) | undefined;
}

/** One link of an attachment. */
export interface AttachmentLink {
  /** Its name in the container. */
  readonly name: string;
  readonly mac: string;
  /** In CIDR form, IPv4 first. */
  readonly addresses: readonly string[];
  /** The end of it that stays with the host; "": none. */
  readonly hostEnd: string;
}

/** An attachment as the daemon keeps it. */
export interface Attachment extends AttachmentKey {
  readonly type: string;
  /** The ids by which the driver knows network and endpoint. */
  readonly nid: string;
  readonly eid: string;
  readonly netns: string;
  /** Identifies the namespace that was at `netns` then. */
  readonly namespace: string;
  /** `attaching`: not answered yet; `detaching`: to be undone, which is tried until it succeeds. */
  readonly phase: "attaching" | "live" | "detaching";
  readonly links: readonly AttachmentLink[];
  /** "" where the driver gave none. */
  readonly gateway: string;
  readonly gatewayIPv6: string;
  readonly routes: readonly SandboxRoute[];
  readonly ports: readonly PortSpec[];
  /** True if the platform itself binds the ports. */
  readonly portsHeld?: boolean | undefined;
  /** True if the ports are published through this attachment: a container's ports are published through one of its attachments. */
  readonly publishes: boolean;
  /** Kept for the platform's own part, which checks it. */
  readonly note?: JsonObject | undefined;
}

const text = z.string();
const route: z.ZodType<SandboxRoute> = z.object({ destination: text, via: text });
const port: z.ZodType<PortSpec> = z.object({
  protocol: z.enum(["tcp", "udp", "sctp"]),
  containerPort: z.int(),
  hostPort: z.int(),
  hostIP: text,
});

/** A row of the data folder. */
export const attachmentSchema: z.ZodType<Attachment> = z.object({
  platform: z.enum(PLATFORMS),
  network: text,
  container: text,
  interface: text,
  type: text,
  nid: text,
  eid: text,
  netns: text,
  namespace: text,
  phase: z.enum(["attaching", "live", "detaching"]),
  links: z.array(z.object({ name: text, mac: text, addresses: z.array(text), hostEnd: text })),
  gateway: text,
  gatewayIPv6: text,
  routes: z.array(route),
  ports: z.array(port),
  portsHeld: z.boolean().optional(),
  publishes: z.boolean(),
  note: z.custom<JsonObject>((value) => typeof value === "object" && value !== null).optional(),
});

/** Returns the id that drivers get for a network. It differs between platforms and types, also for the same name. */
export function networkId(platform: Platform, { name, type }: Pick<NetworkSpec, "name" | "type">): string {
  return digest(["network", platform, name, type]);
}

/** Returns the id of an attachment, which drivers get as the endpoint's. It differs between platforms, also for the same container. */
export function attachmentId({ platform, network, container, interface: name }: AttachmentKey): string {
  return digest(["attachment", platform, network, container, name]);
}

function digest(parts: readonly string[]): string {
  return createHash("sha256").update(JSON.stringify(parts)).digest("hex");
}

export function isSame(one: AttachmentKey, other: AttachmentKey): boolean {
  return attachmentId(one) === attachmentId(other);
}

/** Returns what the log says of an attachment. */
export function shown({ platform, network, container, interface: name }: AttachmentKey): object {
  return { platform, network, container, interface: name };
}
