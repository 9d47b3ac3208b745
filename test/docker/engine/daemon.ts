/** `bulkhead serve` on the stage: as an operator starts it, or killed. */
import { cp, mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { until } from "../../harness.js";
import { REPO } from "../../kit/host.js";
import { CALLED, hangType, MORTAL_BRIDGE } from "./drivers.js";
import type { Inside } from "./programs.js";
import type { Stage } from "./stage.js";

export const MAIN: string = join(REPO, "dist/cli/main.js");

/** The shipped drivers that are put into its folder. */
const SHIPPED = ["bridge", "macvlan", "null", "host"] as const;

/** The name server that `egress` may ask: the test's own, outside. */
export const NAMES = "203.0.113.53";

/** How long a driver that hangs may keep anybody waiting, in milliseconds. */
const HANG_MS = 1500;

/** The policy as it ships, and what the test's own drivers need beside it. */
async function policy(): Promise<object> {
  const shipped = JSON.parse(await readFile(join(REPO, "examples/serve/bulkhead.config.json"), "utf8"));
  const subnets = ["10.64.0.0/10", "fd64::/48"];
  return {
    ...shipped,
    // Several engines and their daemons start at the same time in a run of all tests.
    defaults: { ...shipped.defaults, timeouts: { default: 8000, init: 15_000 } },
    plugins: {
      ...shipped.plugins,
      macvlan: { grant: { netlink: { kinds: ["macvlan"], prefix: "mv", subnets, parents: ["mac0"] }, store: true } },
      egress: {
        grant: {
          netlink: { kinds: ["bridge", "veth"], prefix: "eg", max: 8192, subnets: ["10.66.0.0/16", "fd66::/48"] },
          firewall: { ports: [], max: 16384 },
          resolver: { upstreams: [NAMES] },
          store: true,
          log: true,
          clock: true,
          timers: true,
        },
      },
      overlay: {
        grant: {
          scope: "global",
          netlink: {
            kinds: ["bridge", "veth", "vxlan"],
            prefix: "ov",
            max: 8192,
            subnets: ["10.67.0.0/16", "fd67::/48"],
            parents: ["up0"],
            vniFrom: 4096,
            vniTo: 4223,
            remotes: ["198.51.100.0/24"],
            ports: [4789],
          },
          firewall: { ports: [] },
          cluster: true,
          store: true,
          random: true,
          log: true,
          timers: true,
        },
        options: { overlay: { host: "h1", address: "198.51.100.1", parent: "up0" } },
      },
      ...Object.fromEntries(CALLED.map((method) => [hangType(method), { timeouts: { default: HANG_MS } }])),
    },
  };
}

export class BulkheadDaemon {
  readonly prefix: string;
  readonly #stage: Stage;
  #serving: Inside | undefined;

  constructor(stage: Stage, prefix: string) {
    this.#stage = stage;
    this.prefix = prefix;
  }

  get plugins(): string {
    return this.#stage.path("drivers");
  }

  /** Puts the shipped drivers, `more` of them and the test's own into the plugins folder. */
  async prepare(own: Readonly<Record<string, string>>, more: readonly string[] = []): Promise<void> {
    await mkdir(this.plugins);
    for (const name of [...SHIPPED, ...more])
      await cp(join(REPO, "plugins", name), join(this.plugins, name), { recursive: true });
    await this.put({ "bridge/index.ts": MORTAL_BRIDGE, ...own });
    await writeFile(this.#stage.path("policy.json"), JSON.stringify(await policy(), undefined, 2));
    await writeFile(this.#stage.path("cluster.json"), JSON.stringify({ store: "memory" }));
  }

  /** Drops plugins into the folder. */
  async put(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.plugins, name), text);
  }

  /** What it has logged since it was started. */
  log(): string {
    return this.#serving?.log() ?? "";
  }

  /** The command line of `bulkhead`, with `args`. */
  command(...args: readonly string[]): readonly string[] {
    // What it puts there ends with the stage, also when it is killed.
    return ["env", "TMPDIR=/run", process.execPath, MAIN, ...args];
  }

  /** The command line of the daemon. */
  get serve(): readonly string[] {
    const paths = ["--plugins", this.plugins, "--policy", this.#stage.path("policy.json"), "--data-dir", this.dataDir];
    const cluster = ["--cluster", this.#stage.path("cluster.json")];
    return this.command("serve", ...paths, ...cluster, "--docker-prefix", this.prefix, "--backend", "kernel");
  }

  get dataDir(): string {
    return this.#stage.path("data");
  }

  /** Resolves when it says that it is ready. */
  async start(): Promise<void> {
    const serving = this.#stage.start(this.serve);
    this.#serving = serving;
    const ready = until(() => serving.said().includes("\n"), "the daemon", 60_000).then(() => undefined);
    const how = await Promise.race([ready, serving.ended]);
    if (how !== undefined) throw new Error(`bulkhead serve ended (${how}): ${serving.log()}`);
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    await this.#serving?.kill(signal);
  }

  /** What a command of `bulkhead` prints; throws when it fails. */
  async says(...args: readonly string[]): Promise<string> {
    return this.#stage.text(...this.command(...args));
  }

  /** The host processes of its plugins. */
  hostProcesses(): readonly number[] {
    return this.#serving?.below("host-process.mjs") ?? [];
  }
}
