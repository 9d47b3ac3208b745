/** The operator's store for `cluster`: where it is, and how this host authenticates. Plugins do not see it. */
import { isLoopback } from "../../common/tcp-address.js";
import { z } from "../../common/zod.js";

/** etcd 3.4 or later, through its JSON gateway. */
export interface EtcdOptions {
  readonly store: "etcd";
  /** `https://10.0.0.1:2379`, the members of one cluster; `http` for loopback addresses alone. */
  readonly endpoints: readonly string[];
  /** The beginning of all keys. Default: `bulkhead`. Hosts with the same one share their state. */
  readonly prefix?: string;
  /** Certificates in PEM: of the authority that signed the members', and this host's own with its key. */
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  /** An account of etcd's own, if it has authentication enabled. */
  readonly user?: string;
  readonly password?: string;
}

/** A store in this process: shared with no other host, and gone with it. */
export interface MemoryOptions {
  readonly store: "memory";
}

/** A store in this host's data folder: shared with no other host, and kept when the host ends. */
export interface LocalOptions {
  readonly store: "local";
}

/** The beginning of all keys where the operator names none. */
export const CLUSTER_PREFIX = "bulkhead";

export type ClusterOptions = EtcdOptions | LocalOptions | MemoryOptions;

const pem = z.string().min(1).max(65_536);
const word = z.string().min(1).max(1_024);

const etcdSchema = z
  .strictObject({
    store: z.literal("etcd"),
    endpoints: z
      .array(
        z.string().max(256).refine(isEndpoint, { error: "must be as https://10.0.0.1:2379; http for loopback alone" }),
      )
      .min(1)
      .max(16),
    prefix: z.exactOptional(
      z
        .string()
        .regex(/^[A-Za-z0-9._-]+(\/[A-Za-z0-9._-]+)*$/, { error: "must be words separated by /" })
        .max(128),
    ),
    ca: z.exactOptional(pem),
    cert: z.exactOptional(pem),
    key: z.exactOptional(pem),
    user: z.exactOptional(word),
    password: z.exactOptional(word),
  })
  .refine(({ cert, key }) => (cert === undefined) === (key === undefined), { error: "cert and key go together" })
  .refine(({ user, password }) => (user === undefined) === (password === undefined), {
    error: "user and password go together",
  });

/** The stores that are this host's own, and take no options. */
const ownSchema = z.strictObject({ store: z.enum(["local", "memory"]) });

/** Returns what is wrong with the option, for a message that shows no secret; undefined if nothing is. */
export function clusterOptionsProblem(value: unknown): string | undefined {
  const store = typeof value === "object" && value !== null && "store" in value ? value.store : undefined;
  const result = (store === "local" || store === "memory" ? ownSchema : etcdSchema).safeParse(value);
  if (result.success) return undefined;
  const [issue] = result.error.issues;
  const where = issue?.path.join(".") ?? "";
  return `${where === "" ? "" : `${where}: `}${issue?.message ?? "it does not parse"}`;
}

/** An origin: a scheme, a host and a port, nothing more. Without TLS, anyone on the network path could read and write everything. */
function isEndpoint(text: string): boolean {
  let url: URL;
  try {
    url = new URL(text);
  } catch {
    return false;
  }
  if (`${url.origin}` !== text.replace(/\/$/, "") || url.username !== "") return false;
  const host = url.hostname.replace(/^\[|\]$/g, "");
  return url.protocol === "https:" || (url.protocol === "http:" && (host === "localhost" || isLoopback(host)));
}
