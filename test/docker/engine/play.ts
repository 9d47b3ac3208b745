/** Engine and daemon on one stage, opened by the first test that asks and closed by the last; networks and containers of a test. */
import { readdir } from "node:fs/promises";
import { type TestContext, until } from "../../harness.js";
import { BulkheadDaemon } from "./daemon.js";
import { ownDrivers, servedTypes } from "./drivers.js";
import { Engine } from "./engine.js";
import { type EngineKind, rootOf, type Variant } from "./kinds.js";
import { Stage } from "./stage.js";

/** What lies outside of every network: a namespace of the test's own, with a server that says this. */
export const OUTSIDE = { word: "outside", port: 9000, ipv4: "198.51.100.2", ipv6: "2001:db8:9::2" } as const;
export const OUTSIDE_NAMESPACE = "/run/outside";
/** Ahead of a command of the stage's: it runs outside. */
export const AT_OUTSIDE: readonly string[] = ["nsenter", `--net=${OUTSIDE_NAMESPACE}`];
/** The stage's own addresses towards it: what is published answers there. */
export const HOST = { ipv4: "198.51.100.1", ipv6: "2001:db8:9::1" } as const;

/** The engine's folder of plugin sockets. */
export const SOCKETS = "/run/docker/plugins";

/** A link of the stage's for `macvlan` networks. */
export const PARENT = "mac0";

/** A network of driver `bridge`, with both families, whose addresses no other has. */
export interface Net {
  readonly name: string;
  /** The address of a host number in it, without prefix length. */
  ipv4(host: number): string;
  ipv6(host: number): string;
}

export interface Setting {
  readonly kind: EngineKind;
  readonly variant: Variant;
  /** True where the drivers that hang are in the folder. */
  readonly hanging: boolean;
  /** Shipped drivers that the others do without. */
  readonly more?: readonly string[];
}

export class Play {
  readonly stage: Stage;
  readonly engine: Engine;
  readonly daemon: BulkheadDaemon;
  readonly kind: EngineKind;
  /** Every type that is in service. */
  readonly types: readonly string[];
  #count = 0;

  private constructor(stage: Stage, { kind, variant, hanging }: Setting) {
    this.stage = stage;
    this.kind = kind;
    this.types = servedTypes(hanging);
    this.engine = new Engine(stage, variant);
    // The folder is this stage's alone: the prefix an operator has by default does.
    this.daemon = new BulkheadDaemon(stage, "bulkhead-");
  }

  static async open(setting: Setting): Promise<Play> {
    const { kind, variant, hanging, more } = setting;
    const stage = await Stage.open({ engineRoot: rootOf(kind), bridgeFilter: variant.bridgeFilter });
    const play = new Play(stage, setting);
    try {
      await play.daemon.prepare(ownDrivers(hanging), more);
      await play.#begin();
      await play.engine.importImage();
      return play;
    } catch (error) {
      await play.close();
      throw error;
    }
  }

  /** The power is cut, and comes back: both daemons start as they do at a boot. */
  async powerCut({ sameBoot = false }: { readonly sameBoot?: boolean } = {}): Promise<void> {
    await this.stage.powerCut(sameBoot);
    await this.#begin();
  }

  async #begin(): Promise<void> {
    await openOutside(this.stage);
    await this.stage.sh(
      `ip link add ${PARENT} type veth peer name far0; ip link set far0 up; ip link set ${PARENT} up`,
    );
    await Promise.all([this.engine.start(), this.daemon.start()]);
  }

  async close(): Promise<void> {
    await this.stage.close();
  }

  /** A name that no other test has. */
  name(stem: string): string {
    this.#count++;
    return `${stem}-${this.#count}`;
  }

  /** Creates a network of `bridge`, gone after the test with its containers; without one, it stays. */
  async net(t: TestContext | undefined, ...args: readonly string[]): Promise<Net> {
    const name = this.name("net");
    const at = this.#count;
    const subnets = ["--ipv6", "--subnet", `10.64.${at}.0/24`, "--subnet", `fd64:0:0:${at}::/64`];
    await this.create(t, name, "bridge", ...subnets, ...args);
    return { name, ipv4: (host) => `10.64.${at}.${host}`, ipv6: (host) => `fd64:0:0:${at}::${host.toString(16)}` };
  }

  /** Creates a network of any of our types. */
  async create(t: TestContext | undefined, name: string, type: string, ...args: readonly string[]): Promise<void> {
    t?.cleanup(() => this.remove(name));
    await this.engine.docker("network", "create", "-d", `${this.daemon.prefix}${type}`, ...args, name);
  }

  /** Removes a network with its containers, running or not. */
  async remove(name: string): Promise<void> {
    const { body } = await this.engine.ask("GET", "/containers/json?all=1");
    const containers = (body as readonly Container[]).filter((one) => name in one.NetworkSettings.Networks);
    await Promise.all(containers.map(({ Id }) => this.engine.ask("DELETE", `/containers/${Id}?force=1`)));
    await this.engine.ask("DELETE", `/networks/${name}`);
  }

  /** Resolves when a container runs again, by its restart policy. */
  async runs(...names: readonly string[]): Promise<void> {
    const missing = async (): Promise<readonly string[]> => {
      const running = (await this.running()).flatMap(({ Names }) => Names);
      return names.filter((name) => !running.includes(`/${name}`));
    };
    await until(async () => (await missing()).length === 0, `running: ${names.join(", ")}`, 45_000).catch(
      async (error) => {
        const states = await this.engine.docker("ps", "-a", "--format", "{{.Names}}: {{.Status}}");
        const logs = [this.engine.log(), this.daemon.log()].map((log) =>
          log.trimEnd().split("\n").slice(-25).join("\n"),
        );
        throw new Error(`${error.message}; ${states.replaceAll("\n", "; ")}\n${logs.join("\n\n")}`);
      },
    );
  }

  /** The containers that run, with what the engine says of their networks. */
  async running(): Promise<readonly Container[]> {
    return (await this.engine.ask("GET", "/containers/json")).body as readonly Container[];
  }

  /** The plugin sockets of the stage. */
  async sockets(): Promise<readonly string[]> {
    return (await readdir(this.stage.seen(SOCKETS))).sort();
  }

  /** Resolves when the sockets are those of these types. */
  async served(...types: readonly string[]): Promise<void> {
    const wanted = types.map((type) => `${this.daemon.prefix}${type}.sock`).sort();
    await until(async () => String(await this.sockets()) === String(wanted), `sockets ${wanted}`, 15_000);
  }

  /** Runs a program in a container. True when it succeeds. */
  async does(container: string, ...command: readonly string[]): Promise<boolean> {
    return (await this.engine.inside(container, command)).code === 0;
  }

  async pings(from: string, to: string): Promise<boolean> {
    return this.does(from, "ping", "-c", "1", "-W", "2", to);
  }

  /** What a TCP server says to a container; "" when it is not reached. */
  async hears(from: string, address: string, port: number): Promise<string> {
    const { out } = await this.engine.inside(from, ["nc", "-w", "3", address, `${port}`]);
    return out.trim();
  }

  /** What a TCP server says to the host itself; "" when it is not reached. */
  async hostHears(address: string, port: number): Promise<string> {
    return (await this.stage.run(["busybox", "nc", "-w", "3", address, `${port}`], { input: "" })).out.trim();
  }

  /** What a TCP server says to the host outside; "" when it is not reached. */
  async outsideHears(address: string, port: number): Promise<string> {
    const command = [...AT_OUTSIDE, "busybox", "nc", "-w", "3", address, `${port}`];
    return (await this.stage.run(command, { input: "" })).out.trim();
  }
}

export interface Container {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly NetworkSettings: {
    readonly Networks: Readonly<Record<string, { readonly IPAddress: string; readonly GlobalIPv6Address: string }>>;
  };
}

/** A namespace with a server, behind the stage's default route; it knows no way back but to the stage itself. */
export async function openOutside(stage: Stage): Promise<void> {
  const { word, port, ipv4, ipv6 } = OUTSIDE;
  await stage.sh(`
    touch ${OUTSIDE_NAMESPACE}; unshare --net=${OUTSIDE_NAMESPACE} true
    ip link add up0 type veth peer name out0 netns ${OUTSIDE_NAMESPACE}
    ip addr add ${HOST.ipv4}/24 dev up0; ip addr add ${HOST.ipv6}/64 dev up0 nodad; ip link set up0 up
    ip route add default via ${ipv4}; ip -6 route add default via ${ipv6}
    ${AT_OUTSIDE.join(" ")} sh -c "
      ip link set lo up; ip link set out0 up; ip addr add ${ipv4}/24 dev out0; ip addr add ${ipv6}/64 dev out0 nodad"`);
  stage.start([...AT_OUTSIDE, "busybox", "nc", "-ll", "-p", `${port}`, "-e", "echo", word]);
  await stage.sh(`until test "$(busybox nc -w 1 ${ipv4} ${port} </dev/null)" = ${word}; do sleep 0.05; done`);
}
