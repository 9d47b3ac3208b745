/** Changes a sandbox's namespace step by step: the error names the step that failed, and the earlier ones are undone. */
import { readlinkSync, statfsSync, statSync } from "node:fs";
import { quote } from "../common/quote.js";
import { DriverError } from "../driverapi/errors.js";
import type { Change, LookOptions, NamespaceView, NetlinkBackend } from "../permissions/netlink/backend.js";
import { execute } from "../permissions/netlink/kernel/ip.js";
import { lineOf } from "../permissions/netlink/kernel/lines.js";
import { netnsPath, program, runnerIn } from "../permissions/netlink/kernel/programs.js";

/** The change that failed, by its index in the list, and why. */
export interface FailedChange {
  readonly at: number;
  readonly words: string;
}

/** A link, and the MAC address that it has. */
export interface NamedLink {
  readonly name: string;
  readonly mac: string;
}

/** One sandbox's network namespace. */
export interface SandboxNamespace {
  look(options?: LookOptions): Promise<NamespaceView>;
  /** Carries out changes in order and stops at the first that fails; nothing is undone. */
  run(changes: readonly Change[]): Promise<FailedChange | undefined>;
  /**
   * Makes links that are up tell their neighbours of their addresses: a neighbour may remember the MAC address of a container that had one
   * of them before. Never rejects.
   */
  announce(links: readonly NamedLink[]): Promise<void>;
  /** Returns false when it is gone, with everything in it. */
  exists(): boolean;
  /** Returns true when one of these names or paths is this very namespace. */
  isOneOf(others: readonly string[]): boolean;
}

/** The file system of namespaces (linux/magic.h). */
const NSFS = 0x6e736673;

/**
 * Returns what identifies a network namespace, the same for every path of it and another for a later one at the same path; undefined if
 * it is gone or the path is something else. `kind`: of the backend; a model's namespaces are identified by their names.
 */
export function namespaceId(kind: NetlinkBackend["kind"], netns: string): string | undefined {
  if (kind === "model") return netnsPath(netns);
  try {
    if (statfsSync(netnsPath(netns)).type !== NSFS) return undefined;
    return isOfOtherKind(netnsPath(netns)) ? undefined : identity(netns);
  } catch {
    return undefined;
  }
}

/** Returns true for `/proc/PID/ns/…` of another kind than net. A mounted file does not say of which kind it is. */
function isOfOtherKind(path: string): boolean {
  try {
    return /^(?!net:)[a-z_]+:\[\d+\]$/.test(readlinkSync(path));
  } catch {
    return false;
  }
}

const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,254}$/;
const PATH = /^\/[A-Za-z0-9_.@:/-]{1,4095}$/;

/** Checks a namespace's name or path before it goes into a command. Throws `ERR_SANDBOX_NOT_FOUND`. */
export function parseNetns(value: unknown): string {
  if (typeof value === "string" && (NAME.test(value) || PATH.test(value))) return value;
  throw notFound(
    value,
    "is not a network namespace: give a name (letters, digits, _ . -) or an absolute path without odd signs",
  );
}

/** Opens another namespace than the backend's own. Throws `ERR_SANDBOX_NOT_FOUND`. */
export function openNamespace(backend: NetlinkBackend, netns: string): SandboxNamespace {
  if (backend.kind === "model") return modelSandbox(backend.elsewhere(netns), netns);
  const there = new KernelSandbox(backend.elsewhere(netns), netns);
  if (there.exists()) return there;
  const hint = netns.includes("/") ? "" : `; make it with: ip netns add ${netns}`;
  throw notFound(netns, `does not exist: there is no ${netnsPath(netns)}${hint}`);
}

function notFound(netns: unknown, why: string): DriverError {
  return new DriverError("ERR_SANDBOX_NOT_FOUND", `sandbox ${quote(netns)} ${why}`);
}

function modelSandbox(backend: NetlinkBackend, netns: string): SandboxNamespace {
  return {
    look: (options) => backend.look(options),
    run: async (changes) => {
      for (const [at, change] of changes.entries()) {
        const { failures } = await backend.apply([[{ change }]]);
        if (failures[0]) return { at, words: failures[0].words };
      }
      return undefined;
    },
    announce: async () => {},
    exists: () => true,
    isOneOf: (others) => others.some((one) => netnsPath(one) === netnsPath(netns)),
  };
}

class KernelSandbox implements SandboxNamespace {
  readonly #backend: NetlinkBackend;
  readonly #netns: string;

  constructor(backend: NetlinkBackend, netns: string) {
    this.#backend = backend;
    this.#netns = netns;
  }

  look(options?: LookOptions): Promise<NamespaceView> {
    return this.#backend.look(options);
  }

  async run(changes: readonly Change[]): Promise<FailedChange | undefined> {
    const enabled = new Set<string>();
    for (let from = 0; from < changes.length; ) {
      const failed = await this.#batch(changes.slice(from));
      if (!failed) return undefined;
      const at = from + failed.at;
      const change = changes[at];
      // Sandboxes often have IPv6 switched off; libnetwork switches it on for a link that is given an IPv6 address.
      const off = change?.op === "addAddress" && /IPv6 is disabled|Permission denied/i.test(failed.words);
      if (!off || !change.address.includes(":") || enabled.has(change.name)) return { at, words: failed.words };
      enabled.add(change.name);
      await this.#enableIPv6(change.name);
      from = at;
    }
    return undefined;
  }

  async announce(links: readonly NamedLink[]): Promise<void> {
    if (links.length === 0) return;
    try {
      await this.#setting(
        links.flatMap(({ name }) => [`ipv4/conf/${name}/arp_notify`, `ipv6/conf/${name}/ndisc_notify`]),
        "1",
      );
      // What is sent while a link comes up is lost: its bridge does not forward yet. The kernel sends it again for a MAC that is set.
      await this.#batch(links.map(({ name, mac }) => ({ op: "mac", name, mac })));
    } catch {
      // Neighbours find out by themselves, later.
    }
  }

  exists(): boolean {
    try {
      statSync(netnsPath(this.#netns));
      return true;
    } catch {
      return false;
    }
  }

  isOneOf(others: readonly string[]): boolean {
    const here = identity(this.#netns);
    return here !== undefined && others.some((one) => identity(one) === here);
  }

  async #batch(changes: readonly Change[]): Promise<FailedChange | undefined> {
    const { code, stderr } = await runnerIn(this.#netns).batch([], changes.map(lineOf));
    if (code === 0) return undefined;
    const line = /^Command failed -:(\d+)$/m.exec(stderr)?.[1];
    const words = stderr
      .split("\n")
      .map((one) => one.trim())
      .filter((one) => one !== "" && !one.startsWith("Command failed"));
    return { at: line === undefined ? 0 : Number(line) - 1, words: words.at(-1) ?? `ip ended with ${code}` };
  }

  async #enableIPv6(name: string): Promise<void> {
    await this.#setting([`ipv6/conf/${name}/disable_ipv6`], "0");
  }

  async #setting(files: readonly string[], value: string): Promise<void> {
    const paths = files.map((file) => `/proc/sys/net/${file}`);
    const nsenter = program("nsenter") ?? "nsenter";
    await execute(nsenter, [`--net=${netnsPath(this.#netns)}`, program("tee") ?? "tee", ...paths], value);
  }
}

/** Identifies a namespace, the same for every name or path of it. */
function identity(netns: string): string | undefined {
  try {
    const { dev, ino } = statSync(netnsPath(netns));
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}
