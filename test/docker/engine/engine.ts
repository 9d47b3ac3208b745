/** A Docker engine on the stage: started, killed, asked by its own command line and over its socket. */
import { mkdir, symlink } from "node:fs/promises";
import { request } from "node:http";
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { until } from "../../harness.js";
import type { Variant } from "./kinds.js";
import { execute, type Inside, type Ran } from "./programs.js";
import type { Stage } from "./stage.js";

/** The image, made of busybox alone. */
const IMAGE = "busybox";

export interface Reply {
  readonly status: number;
  // What the engine answers is its own affair: each reader says what it expects.
  readonly body: unknown;
}

export class Engine {
  readonly #stage: Stage;
  readonly #variant: Variant;
  #daemon: Inside | undefined;

  constructor(stage: Stage, variant: Variant) {
    this.#stage = stage;
    this.#variant = variant;
  }

  /** The environment in which `docker` speaks to this engine, and to no context of the machine's user. */
  get env(): NodeJS.ProcessEnv {
    const { DOCKER_HOST: _, DOCKER_CONTEXT: __, ...env } = process.env;
    return { ...env, DOCKER_CONFIG: this.#stage.path("client") };
  }

  /** What it has logged since it was started. */
  log(): string {
    return this.#daemon?.log() ?? "";
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    // As it comes, but for what a machine of containers or a test of seconds needs: no layers, their control groups, no long good-bye.
    const options = ["--storage-driver=vfs", "--cgroup-parent", this.#stage.cgroup, "--shutdown-timeout=1"];
    if (!this.#variant.userlandProxy) options.push("--userland-proxy=false");
    const daemon = this.#stage.start(this.#stage.inEngine(["dockerd", ...options]));
    this.#daemon = daemon;
    let over: string | undefined;
    void daemon.ended.then((how) => {
      over = how;
    });
    await until(
      async () => {
        if (over !== undefined) throw new Error(`dockerd ended (${over}): ${daemon.log()}`);
        return (await this.ask("GET", "/_ping").catch(() => undefined))?.status === 200;
      },
      "the engine",
      60_000,
    );
  }

  async kill(signal: "SIGKILL" | "SIGTERM" = "SIGKILL"): Promise<void> {
    await this.#daemon?.kill(signal);
  }

  /** An image without a registry. */
  async importImage(): Promise<void> {
    const root = this.#stage.path("image");
    await mkdir(`${root}/bin`, { recursive: true });
    for (const folder of ["etc", "root", "tmp", "proc", "sys", "dev"]) await mkdir(`${root}/${folder}`);
    await execute(["cp", "-L", program("busybox") ?? "", `${root}/bin/busybox`], process.env);
    for (const name of ["sh", "sleep", "nc", "ping", "ip", "cat", "echo", "true", "httpd", "wget"])
      await symlink("busybox", `${root}/bin/${name}`);
    await execute(["tar", "-C", root, "-cf", `${root}.tar`, "."], process.env);
    await this.docker("import", `${root}.tar`, IMAGE);
  }

  /** Runs `docker` and gives what it prints. Throws when it fails. */
  async docker(...args: readonly string[]): Promise<string> {
    const ran = await this.tryDocker(args);
    if (ran.code !== 0) throw new Error(`docker ${args.join(" ")}: exit ${ran.code}: ${ran.err}`);
    return ran.out.trim();
  }

  /** Runs `docker`, whatever comes of it. */
  tryDocker(args: readonly string[], ms = 60_000): Promise<Ran> {
    return this.#stage.run(this.#stage.inEngine(["docker", ...args]), { ms, env: this.env });
  }

  /** A container that stays; its name. */
  async runIdle(name: string, ...args: readonly string[]): Promise<string> {
    await this.docker("run", "-d", "--name", name, ...args, IMAGE, "sleep", "1d");
    return name;
  }

  /** A container that listens on a TCP port, and says its name. */
  async runTalker(name: string, port: number, ...args: readonly string[]): Promise<string> {
    await this.docker("run", "-d", "--name", name, ...args, IMAGE, "nc", "-ll", "-p", `${port}`, "-e", "echo", name);
    // The engine says that it runs before its program listens.
    const ask = ["nc", "-w", "3", "127.0.0.1", `${port}`];
    await until(async () => (await this.inside(name, ask)).out.trim() === name, `${name} to listen`, 20_000);
    return name;
  }

  /**
   * Runs a program of busybox in a container, in its network and its file system. Not by `docker exec`, which takes twenty times as much
   * of the processor.
   */
  async inside(container: string, [program = "", ...args]: readonly string[]): Promise<Ran> {
    const { body } = await this.ask("GET", `/containers/${container}/json`);
    const { Pid: pid = 0 } = (body as { readonly State?: { readonly Pid?: number } }).State ?? {};
    if (pid === 0) return { code: -1, out: "", err: `container ${container} does not run`, ms: 0 };
    const enter = ["nsenter", `--target=${pid}`, "--net", "--mount", "--", "/bin/busybox"];
    return this.#stage.run([...enter, program, ...args], { ms: 20_000 });
  }

  /** Speaks the engine's API. Rejects only when it does not answer. */
  ask(method: string, path: string, body?: object): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: this.#stage.seen("/run/docker.sock"),
          path,
          method,
          agent: false,
          headers: body === undefined ? {} : { "content-type": "application/json" },
        },
        (response) => {
          let text = "";
          response.setEncoding("utf8").on("data", (part: string) => {
            text += part;
          });
          response.once("close", () => {
            if (!response.complete) return reject(new Error("the engine hung up"));
            const isJson = response.headers["content-type"]?.includes("json") && text !== "";
            resolve({ status: response.statusCode ?? 0, body: isJson ? JSON.parse(text) : text });
          });
        },
      );
      sent.once("error", reject);
      sent.end(body === undefined ? undefined : JSON.stringify(body));
    });
  }
}
