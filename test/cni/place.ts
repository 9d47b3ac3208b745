/** The shipped drivers behind `bulkhead serve` on a stage, their executables, and a runtime that chains the reference plugins with them. */
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { kernelProblem } from "#dist/permissions/netlink/kernel/available.js";
import { closeClean, machineState } from "../docker/engine/clean.js";
import { BulkheadDaemon } from "../docker/engine/daemon.js";
import { HOST, OUTSIDE_NAMESPACE, openOutside } from "../docker/engine/play.js";
import { Stage } from "../docker/engine/stage.js";
import { type Any, Runtime } from "./runtime.js";

/** Where Debian's reference plugins are. */
const REFERENCE = "/usr/lib/cni";

/** Why the reference plugins cannot be run here; undefined when they can. */
export function noReference(): string | undefined {
  if (!existsSync(join(REFERENCE, "portmap")))
    return `there is no ${REFERENCE}/portmap (Debian: apt-get install containernetworking-plugins)`;
  return kernelProblem();
}

export class Place {
  readonly stage: Stage;
  readonly daemon: BulkheadDaemon;
  readonly runtime: Runtime;
  readonly #machine: readonly string[];

  private constructor(stage: Stage, machine: readonly string[]) {
    this.stage = stage;
    this.#machine = machine;
    this.daemon = new BulkheadDaemon(stage, "bulkhead-");
    this.runtime = new Runtime(async (type, env, input) => {
      const path = type.startsWith("bulkhead-") ? join(this.bin, type) : join(REFERENCE, type);
      const all = { PATH: process.env.PATH, CNI_PATH: `${this.bin}:${REFERENCE}`, ...env };
      return this.stage.run([path], { env: all, input });
    });
  }

  /** With a card for macvlan, and the outside, which also has a route to what is behind the machine. */
  static async open(): Promise<Place> {
    const machine = await machineState();
    const place = new Place(await Stage.open({ engineRoot: undefined, bridgeFilter: 0 }), machine);
    mkdirSync(place.bin);
    await place.stage.sh(`
      ip link add mac0 type veth peer name mac1; ip link set mac0 up; ip link set mac1 up`);
    await openOutside(place.stage);
    await place.stage.sh(`
      mkdir -p /run/netns; touch /run/netns/outside; mount --bind ${OUTSIDE_NAMESPACE} /run/netns/outside
      ip -n outside route add default via ${HOST.ipv4}; sysctl -qw net.ipv4.ip_forward=1`);
    await place.daemon.prepare({}, ["egress"]);
    await place.daemon.start();
    await place.daemon.says("cni", "install", "--dir", place.bin, "--data-dir", place.daemon.dataDir);
    return place;
  }

  /** Where the executables are. */
  get bin(): string {
    return this.stage.path("bin");
  }

  /** A container's namespace; its path. */
  async container(name: string): Promise<string> {
    await this.stage.sh(`ip netns add ${name}`);
    return `/run/netns/${name}`;
  }

  /** Runs a program in a namespace. */
  async inside(name: string, ...command: readonly string[]): Promise<string> {
    return this.stage.text("ip", "netns", "exec", name, ...command);
  }

  /** What a host hears at a TCP port, from a namespace; "" if there is no answer. */
  async hears(from: string, address: string, port: number): Promise<string> {
    const ran = await this.stage.run(["ip", "netns", "exec", from, "busybox", "nc", "-w", "3", address, String(port)], {
      input: "",
    });
    return ran.out.trim();
  }

  /** Starts what says `word` at a TCP port in a namespace. */
  async talker(name: string, port: number, word: string): Promise<void> {
    this.stage.start(["ip", "netns", "exec", name, "busybox", "nc", "-ll", "-p", String(port), "-e", "echo", word]);
    for (let tries = 0; (await this.hears(name, "127.0.0.1", port)) !== word; tries++)
      if (tries > 50) throw new Error(`${name} does not listen`);
  }

  /** Everything that attachments may leave: links, rules with our names, records. */
  async left(): Promise<Any> {
    const links = await this.stage.sh("ip -o link | awk -F': ' '{print $2}' | grep -E '^(bh|mv|eg)' || true");
    const rules = await this.stage.sh("nft list ruleset | grep -cE 'bh-|mv-|eg-' || true");
    const asked = async (what: string): Promise<Any> =>
      JSON.parse(
        await this.stage.text(
          ...["curl", "-sS", "--unix-socket", join(this.daemon.dataDir, "control.sock"), `http://bulkhead/v1/${what}`],
        ),
      );
    const { attachments } = await asked("attachments");
    const { networks } = await asked("networks");
    const kept = networks.filter(({ type }: Any) => type !== "null" && type !== "host");
    const containers = attachments.map(({ network, container }: Any) => `${network} ${container}`);
    return { links, rules, containers, networks: kept.map(({ id }: Any) => id) };
  }

  async close(): Promise<void> {
    await this.daemon.kill("SIGTERM");
    await closeClean(this.stage, this.#machine);
  }
}

/** What `left` gives when nothing is. */
export const NOTHING = { links: "", rules: "0", containers: [], networks: [] };
