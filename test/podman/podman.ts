/** Podman on a stage: its files, its image, its command line. It needs no daemon of its own. */
import { mkdirSync } from "node:fs";
import { mkdir, symlink, writeFile } from "node:fs/promises";
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { execute, type Ran } from "../docker/engine/programs.js";
import { Stage } from "../docker/engine/stage.js";
import { until } from "../harness.js";
import { type PodmanKind, rootOf } from "./kinds.js";

/** The image, made of busybox alone. */
const IMAGE = "busybox";
/** The first folder in which netavark looks for plugins. */
const PLUGINS = "/usr/local/libexec/netavark";

/** As it comes, but for what a test's machine lacks: layers, control groups, systemd's journal. */
const CONF = `[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
[containers]
cgroups = "disabled"
log_driver = "k8s-file"
`;
const STORAGE = `[storage]
driver = "vfs"
runroot = "/run/containers/storage"
graphroot = "/var/lib/containers/storage"
`;

export class Podman {
  readonly stage: Stage;

  private constructor(stage: Stage) {
    this.stage = stage;
  }

  /** Opens a stage with a Podman on it; what Podman keeps on disk outlives a power cut. */
  static async open(kind: PodmanKind): Promise<Podman> {
    const stage = await Stage.open({
      ...{ engineRoot: rootOf(kind), bridgeFilter: 0 },
      shown: (root) => {
        for (const folder of ["containers", "etc", "netavark", "lib/bulkhead"])
          mkdirSync(`${root}/${folder}`, { recursive: true });
        return {
          [process.execPath]: process.execPath,
          "/var/lib/containers": `${root}/containers`,
          "/etc/containers": `${root}/etc`,
          [PLUGINS]: `${root}/netavark`,
          // The daemon's default data folder, with its control socket.
          "/var/lib/bulkhead": `${root}/lib/bulkhead`,
        };
      },
    });
    await writeFile(stage.path("etc/containers.conf"), CONF);
    await writeFile(stage.path("etc/storage.conf"), STORAGE);
    await writeFile(stage.path("etc/policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
    return new Podman(stage);
  }

  /** The folder of netavark's plugins, as this process sees it. */
  get plugins(): string {
    return this.stage.path("netavark");
  }

  /** To be called after each boot of the stage: Podman wants control groups of the second version, whatever the machine has. */
  async begin(): Promise<void> {
    await this.stage.text(...this.stage.inEngine(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"]));
    // The daemon looks there for the subnets of Podman's networks.
    await this.stage.sh(`mkdir -p /etc/containers; mount --bind ${this.stage.path("etc")} /etc/containers`);
  }

  /** An image without a registry. */
  async importImage(): Promise<void> {
    const root = this.stage.path("image");
    await mkdir(`${root}/bin`, { recursive: true });
    for (const folder of ["etc", "root", "tmp", "proc", "sys", "dev"]) await mkdir(`${root}/${folder}`);
    await execute(["cp", "-L", program("busybox") ?? "", `${root}/bin/busybox`], process.env);
    for (const name of ["sh", "sleep", "nc", "ping", "ip", "cat", "echo", "true", "nslookup", "httpd", "wget"])
      await symlink("busybox", `${root}/bin/${name}`);
    await execute(["tar", "-C", root, "-cf", `${root}.tar`, "."], process.env);
    await this.podman("import", "-q", `${root}.tar`, IMAGE);
  }

  /** Runs `podman` and gives what it prints. Throws when it fails. */
  async podman(...args: readonly string[]): Promise<string> {
    const ran = await this.try(args);
    if (ran.code !== 0) throw new Error(`podman ${args.join(" ")}: exit ${ran.code}: ${ran.err}`);
    return ran.out.trim();
  }

  /** Runs `podman`, whatever comes of it. */
  try(args: readonly string[], ms = 60_000): Promise<Ran> {
    const env = { ...process.env, PODMAN_IGNORE_CGROUPSV1_WARNING: "1", CONTAINERS_CONF: undefined };
    return this.stage.run(this.stage.inEngine(["podman", ...args]), { ms, env });
  }

  /** A container that stays; its name. */
  async runIdle(name: string, ...args: readonly string[]): Promise<string> {
    await this.podman("run", "-d", "--name", name, ...args, IMAGE, "sleep", "1d");
    return name;
  }

  /** A container that listens on a TCP port, and says its name. */
  async runTalker(name: string, port: number, ...args: readonly string[]): Promise<string> {
    await this.podman("run", "-d", "--name", name, ...args, IMAGE, "nc", "-ll", "-p", `${port}`, "-e", "echo", name);
    await this.listens(name, port);
    return name;
  }

  /** Resolves when a container's talker listens: a container runs before its program does. */
  async listens(name: string, port: number): Promise<void> {
    const heard = ["exec", name, "nc", "-w", "3", "127.0.0.1", `${port}`];
    await until(async () => (await this.try(heard, 20_000)).out.trim() === name, `${name} to listen`, 20_000);
  }
}
