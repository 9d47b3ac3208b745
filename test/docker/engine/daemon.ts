/** `bulkhead serve` on the stage: as an operator starts it, or killed. */
import { cp, mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { REPO } from "../../host/platform/house.js";
import { CALLED, hangType, MORTAL_BRIDGE } from "./drivers.js";
import type { Inside, Stage } from "./stage.js";

export const MAIN: string = join(REPO, "dist/cli/main.js");

/** What the networks of driver `bridge` lie in. */
const SUBNETS = ["10.64.0.0/10", "fd64::/48"];

/** How long a driver that hangs may keep anybody waiting, in milliseconds. */
const HANG_MS = 1500;

const POLICY = {
  defaults: { timeouts: { default: 8000 } },
  plugins: {
    bridge: {
      grant: {
        netlink: { kinds: ["bridge", "veth"], prefix: "bh", max: 4096, subnets: SUBNETS },
        store: { bytes: 1_048_576, keys: 4096 },
        firewall: { ports: ["8000-8999"] },
      },
    },
    macvlan: {
      grant: { netlink: { kinds: ["macvlan"], prefix: "mv", subnets: SUBNETS, parents: ["mac0"] }, store: true },
    },
    ...Object.fromEntries(CALLED.map((method) => [hangType(method), { timeouts: { default: HANG_MS } }])),
  },
};

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

  /** Puts the shipped drivers and the test's own into the plugins folder. */
  async prepare(own: Readonly<Record<string, string>>): Promise<void> {
    await mkdir(this.plugins);
    for (const name of ["bridge", "macvlan"])
      await cp(join(REPO, "plugins", name), join(this.plugins, name), { recursive: true });
    await this.put({ "bridge/index.ts": MORTAL_BRIDGE, ...own });
    await writeFile(this.#stage.path("policy.json"), JSON.stringify(POLICY));
  }

  /** Drops plugins into the folder. */
  async put(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [name, text] of Object.entries(files)) await writeFile(join(this.plugins, name), text);
  }

  /** What it has logged since it was started. */
  log(): string {
    return this.#serving?.log() ?? "";
  }

  /** Resolves when it says that it is ready. */
  async start(): Promise<void> {
    const serving = this.#stage.start([
      // What it puts there ends with the stage, also when it is killed.
      ...[
        "env",
        "TMPDIR=/run",
        process.execPath,
        MAIN,
        "serve",
        "--plugins",
        this.plugins,
        "--policy",
        this.#stage.path("policy.json"),
      ],
      ...["--data-dir", this.#stage.path("data"), "--docker-prefix", this.prefix, "--backend", "kernel"],
    ]);
    this.#serving = serving;
    let said = "";
    const ready = new Promise<void>((resolve) => {
      serving.child.stdout?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
        if (said.includes("\n")) resolve();
      });
    });
    const how = await Promise.race([ready, serving.ended]);
    if (how !== undefined) throw new Error(`bulkhead serve ended (${how}): ${serving.log()}`);
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    await this.#serving?.kill(signal);
  }

  /** The host processes of its plugins. */
  hostProcesses(): readonly number[] {
    return this.#serving?.below("host-process.mjs") ?? [];
  }
}
