/** Netlink through iproute2: reads with `ip -json`, and carries out all units of one turn in one run of `ip -batch -`. */
import { readFile, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import type { ChangeMonitor } from "../../poll-scheduler.js";
import type {
  Applied,
  Failure,
  LinkView,
  LookOptions,
  NamespaceView,
  NetlinkBackend,
  NetworkSnapshot,
  Unit,
} from "../backend.js";
import { failed } from "../errors.js";
import type { LinkEvents } from "../link-events.js";
import { execute, type IpRunner } from "./ip.js";
import { watchLinks } from "./link-events.js";
import type { IpOutcome } from "./outcome.js";
import { type Line, programAfter, programOf } from "./program.js";
import { commandIn, program, runnerIn } from "./programs.js";
import { readForward, readLink, readLists, readNeighbour, readResolvers, readRoute } from "./read.js";

export class KernelBackend implements NetlinkBackend {
  readonly kind = "kernel";
  readonly #ip: IpRunner;
  readonly #netns: string | undefined;
  /** Runs of `bridge`. */
  #forwardRuns = 0;

  constructor(ip: IpRunner, netns: string | undefined) {
    this.#ip = ip;
    this.#netns = netns;
  }

  get invocations(): number {
    return this.#ip.count + this.#forwardRuns;
  }

  async look({ addresses, routes, counters, kinds, remotes }: LookOptions = {}): Promise<NamespaceView> {
    // With addresses, `ip` shows a link's alias only among the details.
    const details = kinds || addresses ? ["-details"] : [];
    const options = ["-json", ...details, ...(counters ? ["-statistics"] : [])];
    const lines = [
      addresses ? "address show" : "link show",
      ...(routes ? ["route show table all"] : []),
      ...(remotes ? ["neighbour show nud permanent"] : []),
    ];
    const outcome = await this.#ip.list(options, lines);
    if (outcome.code !== 0) throw failed(undefined, "look", complaint(outcome));
    if (!remotes) return readView(outcome.stdout);
    const forwards = await this.#bridge(["fdb show"]);
    if (forwards.code !== 0) throw failed(undefined, "look", complaint(forwards));
    return {
      ...readView(outcome.stdout),
      neighbours: (readLists(outcome.stdout).at(-1) ?? []).flatMap((row) => readNeighbour(row) ?? []),
      forwards: (readLists(forwards.stdout)[0] ?? []).flatMap((row) => readForward(row) ?? []),
    };
  }

  /**
   * Carries out the units in one run, or in two where a link is created and set up or given addresses: what the kernel listens to on it is
   * settled between them.
   */
  async apply(units: readonly Unit[]): Promise<Applied> {
    const [creations, settings] = apart(units);
    const created = await this.#apply(creations);
    if (settings.every((unit) => unit.length === 0)) return created;
    const left = settings.map((unit, at) => (created.failures[at] === undefined ? unit : []));
    await this.#deafen(
      left.flatMap((unit) => unit.flatMap(({ undo }) => (undo?.op === "delete" ? namesOf(undo.name, units) : []))),
    );
    const set = await this.#apply(left);
    const seen = new Map([...created.seen, ...set.seen]);
    for (const [at, failure] of set.failures.entries())
      for (const { undo } of failure ? (left[at] ?? []) : []) if (undo?.op === "delete") seen.delete(undo.name);
    return { failures: created.failures.map((failure, at) => failure ?? set.failures[at]), seen };
  }

  async #apply(units: readonly Unit[]): Promise<Applied> {
    const failures: (Failure | undefined)[] = units.map(() => undefined);
    const seen = new Map<string, LinkView>();
    await this.#enableIPv6(units);
    let lines = programOf(units);
    while (lines.length > 0) {
      const run = firstRun(lines);
      const texts = run.map(({ text }) => text);
      // Looks at one link too: a process that stays would answer for the index that the name had before.
      const outcome = run[0]?.tool === "bridge" ? await this.#bridge(texts) : await this.#ip.change(["-json"], texts);
      for (const row of readLists(outcome.stdout).flat()) {
        const link = readLink(row);
        if (link) seen.set(link.name, link);
      }
      if (outcome.code === 0) {
        lines = lines.slice(run.length);
        continue;
      }
      const at = failedLine(outcome);
      const line = at === undefined ? undefined : lines[at];
      if (at === undefined || line === undefined) throw failed(undefined, "apply", complaint(outcome));
      if (line.unit !== undefined && !line.undo) failures[line.unit] = { words: complaint(outcome) };
      lines = programAfter(lines, at, units, failures);
    }
    await this.#deafen([...seen.keys()]);
    return { failures, seen };
  }

  async resolvers(): Promise<readonly string[]> {
    // With a local resolver, the real name servers are in its own file.
    const system = ["/etc/resolv.conf", "/run/systemd/resolve/resolv.conf"];
    const files = [
      ...system,
      ...(this.#netns === undefined ? [] : [`/etc/netns/${basename(this.#netns)}/resolv.conf`]),
    ];
    const texts = await Promise.all(files.map((file) => readFile(file, "utf8").catch(() => "")));
    return readResolvers(texts.join("\n"));
  }

  async readSnapshot(): Promise<NetworkSnapshot> {
    const outcome = await this.#ip.list(["-json"], ["address show"]);
    if (outcome.code !== 0) throw failed(undefined, "look", complaint(outcome));
    const { links } = readView(outcome.stdout);
    return {
      links: new Set(links.keys()),
      addresses: new Set([...links.values()].flatMap(({ addresses }) => addresses.map(({ ip }) => ip))),
    };
  }

  watch(events: LinkEvents): ChangeMonitor {
    return watchLinks(this.#ip.command, events);
  }

  close(): Promise<void> {
    return this.#ip.close();
  }

  elsewhere(netns: string): NetlinkBackend {
    // Without standing processes, which would keep a sandbox's namespace, and the links in it, after its container.
    return new KernelBackend(runnerIn(netns), netns);
  }

  #bridge(lines: readonly string[]): Promise<IpOutcome> {
    this.#forwardRuns++;
    const [file = "", ...first] = commandIn("bridge", this.#netns);
    return execute(file, [...first, "-json", "-batch", "-"], `${lines.join("\n")}\n`);
  }

  /**
   * Makes new links ignore router advertisements, by which a sandbox on a bridge could give the machine a default route and addresses.
   * `/proc/sys/net` belongs to the namespace of the process that opens it.
   */
  async #deafen(names: readonly string[]): Promise<void> {
    await this.#zero(names, "accept_ra");
  }

  /** Enables IPv6 on links that get an IPv6 address, and only on them, if the machine has disabled it. */
  async #enableIPv6(units: readonly Unit[]): Promise<void> {
    const names = units.flatMap((unit) =>
      unit.flatMap(({ change }) => (change.op === "addAddress" && change.address.includes(":") ? [change.name] : [])),
    );
    await this.#zero([...new Set(names)], "disable_ipv6");
  }

  async #zero(names: readonly string[], setting: "accept_ra" | "disable_ipv6"): Promise<void> {
    if (names.length === 0) return;
    const files = names.map((name) => `/proc/sys/net/ipv6/conf/${name}/${setting}`);
    if (this.#ip.netns === undefined) {
      // Without IPv6 these files do not exist.
      await Promise.all(files.map((file) => writeFile(file, "0").catch(() => {})));
    } else {
      await execute(
        program("nsenter") ?? "nsenter",
        [`--net=${this.#ip.netns}`, program("tee") ?? "tee", ...files],
        "0",
      );
    }
  }
}

/**
 * Splits units that create a link and give it addresses or set it up: its creation, and the rest, which begins with a look at the link
 * whose undoing is its deletion. Other units are whole in the first list.
 */
function apart(units: readonly Unit[]): readonly [creations: readonly Unit[], settings: readonly Unit[]] {
  const parts = units.map((unit): readonly [Unit, Unit] => {
    const creation = unit.find(({ change }) => change.op === "add");
    const at = unit.findIndex(({ change }) => change.op === "addAddress" || change.op === "up");
    if (creation?.change.op !== "add" || at < 0) return [unit, []];
    const { name } = creation.change.link;
    return [unit.slice(0, at), [{ change: { op: "look", name }, undo: creation.undo }, ...unit.slice(at)]];
  });
  return [parts.map(([creation]) => creation), parts.map(([, setting]) => setting)];
}

/** Returns the names of the links that are created with the one of this name. */
function namesOf(name: string, units: readonly Unit[]): readonly string[] {
  for (const unit of units)
    for (const { change } of unit)
      if (change.op === "add" && change.link.name === name)
        return change.link.kind === "veth" ? [name, change.link.peer] : [name];
  return [name];
}

/** Returns the lines at the beginning that one program reads. */
function firstRun(lines: readonly Line[]): readonly Line[] {
  const end = lines.findIndex(({ tool }) => tool !== lines[0]?.tool);
  return end < 0 ? lines : lines.slice(0, end);
}

function readView(stdout: string): NamespaceView {
  const [links = [], routes = []] = readLists(stdout);
  return {
    links: new Map(links.flatMap((row) => readLink(row) ?? []).map((link) => [link.name, link])),
    routes: routes.flatMap((row) => readRoute(row) ?? []),
  };
}

/** Returns the line at which a batch stopped, from 0. */
function failedLine({ stderr, code }: IpOutcome): number | undefined {
  const line = code === null ? undefined : /^Command failed -:(\d+)$/m.exec(stderr)?.[1];
  return line === undefined ? undefined : Number(line) - 1;
}

/** Returns the kernel's last words before the batch stopped; earlier ones may be warnings about lines that succeeded. */
function complaint({ stderr, code }: IpOutcome): string {
  const said = stderr
    .split("\n")
    .map((line) => line.trim())
    .filter((line) => line !== "" && !line.startsWith("Command failed"));
  return said.at(-1) ?? `ip ended with ${code} and said nothing`;
}
