/** A Docker engine on the stage: started, killed, asked by its own command line and over its socket. */
import { mkdir, rm, symlink } from "node:fs/promises";
import { request } from "node:http";
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { until } from "../../harness.js";
import { execute, type Inside, type Ran, type Stage } from "./stage.js";

/** The image, made of busybox alone. */
const IMAGE = "busybox";

export interface Reply {
  readonly status: number;
  // What the engine answers is its own affair: each reader says what it expects.
  readonly body: unknown;
}

export class Engine {
  readonly #stage: Stage;
  #daemon: Inside | undefined;

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  get #socket(): string {
    return this.#stage.path("docker.sock");
  }

  /** The environment in which `docker` speaks to this engine. */
  get env(): NodeJS.ProcessEnv {
    return { ...process.env, DOCKER_HOST: `unix://${this.#socket}`, DOCKER_CONFIG: this.#stage.path("client") };
  }

  /** What it has logged since it was started. */
  log(): string {
    return this.#daemon?.log() ?? "";
  }

  /** Resolves when it answers. */
  async start(): Promise<void> {
    const { root, cgroup } = this.#stage;
    // What a killed one has left in the way of the next.
    await rm(this.#stage.path("docker.pid"), { force: true });
    const daemon = this.#stage.start([
      ...["dockerd", "--data-root", `${root}/engine`, "--exec-root", `${root}/exec`, "--pidfile", `${root}/docker.pid`],
      ...["-H", `unix://${this.#socket}`, "--iptables=false", "--ip-forward=false", "--bridge=none"],
      ...["--storage-driver=vfs", "--cgroup-parent", cgroup, "--shutdown-timeout=1"],
      ...["--default-address-pool", "base=10.96.0.0/12,size=24"],
    ]);
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

  async kill(): Promise<void> {
    await this.#daemon?.kill("SIGKILL");
  }

  /** An image without a registry. */
  async importImage(): Promise<void> {
    const root = this.#stage.path("image");
    await mkdir(`${root}/bin`, { recursive: true });
    for (const folder of ["etc", "tmp", "proc", "sys", "dev"]) await mkdir(`${root}/${folder}`);
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
    return execute([program("docker") ?? "docker", ...args], this.env, { ms });
  }

  /** A container that stays; its name. */
  async runIdle(name: string, ...args: readonly string[]): Promise<string> {
    await this.docker("run", "-d", "--name", name, ...args, IMAGE, "sleep", "1d");
    return name;
  }

  /** A container that listens on a TCP port, and says its name. */
  async runTalker(name: string, port: number, ...args: readonly string[]): Promise<string> {
    await this.docker("run", "-d", "--name", name, ...args, IMAGE, "nc", "-ll", "-p", `${port}`, "-e", "echo", name);
    return name;
  }

  /** Speaks the engine's API. Rejects only when it does not answer. */
  ask(method: string, path: string, body?: object): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const sent = request(
        {
          socketPath: this.#socket,
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
