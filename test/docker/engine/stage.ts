/**
 * Where the acceptance plays: network, mount and process namespaces of its own. Its first process ends when its standard input
 * does, also because the test was killed, and the kernel ends every other one in there with it: engine, containers, daemon.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import {
  closeSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { kernelProblem } from "#dist/permissions/netlink/kernel/available.js";
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { childrenOf, execute, follow, type Inside, isAlive, type Ran } from "./programs.js";

/** Everything of ours in the temp folder, and the control groups of our containers, is named so; a process id follows. */
const PREFIX = "bulkhead-engine-";
/** Below the stage's folder: where the root of the engine's release is mounted. */
const ENGINE = "root";
/** Inside: the process id of what keeps the mount namespace with that root. */
const ENGINE_KEEPER = "/run/engine/keeper";

/** Why an engine cannot run here; undefined when it can. */
export function noEngine(): string | undefined {
  const debian: Readonly<Record<string, string>> = {
    dockerd: "docker.io",
    docker: "docker.io, and docker-cli where there is one",
    busybox: "busybox-static",
    nft: "nftables",
    nsenter: "util-linux",
    tar: "tar",
  };
  const missing = Object.keys(debian).find((name) => program(name) === undefined);
  if (missing !== undefined) return `there is no "${missing}" (Debian: apt-get install ${debian[missing]})`;
  return kernelProblem();
}

/** What the stage is made of. */
export interface StageOptions {
  /** Folder of another release's root, whose programs `inEngine` runs; it is not written to. */
  readonly engineRoot: string | undefined;
  /** `bridge-nf-call-iptables` and its fellows. */
  readonly bridgeFilter: 0 | 1;
  /** Returns paths that the engine's root shows in place of its own, by what they are on the machine. `root`: the stage's folder. */
  readonly shown?: (root: string) => Readonly<Record<string, string>>;
}

export class Stage {
  /** A folder that is seen inside and outside, and outlives a power cut; below it `lib`, which inside is /var/lib. */
  readonly root: string;
  /** The parent of the containers' control groups. */
  readonly cgroup: string = `${PREFIX}${process.pid}`;
  readonly #options: StageOptions;
  #keeper: ChildProcess;
  #pid: number;
  #bootId: string;
  #closing = false;

  private constructor(root: string, options: StageOptions, bootId: string, { keeper, pid }: Booted) {
    this.root = root;
    this.#bootId = bootId;
    this.#options = options;
    this.#keeper = keeper;
    this.#pid = pid;
    this.#watch(keeper);
  }

  static async open(options: StageOptions): Promise<Stage> {
    sweep();
    const root = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
    mkdirSync(join(root, "lib/docker"), { recursive: true });
    const bootId = randomUUID();
    return new Stage(root, options, bootId, await boot(root, options, bootId));
  }

  /**
   * Everything that runs ends at once; links, rules and what lay in /run are gone. The disk is what it was. `sameBoot`: the kernel
   * says that it is the same run of the machine.
   */
  async powerCut(sameBoot: boolean): Promise<void> {
    await this.#end("SIGKILL");
    removeCgroups(this.cgroup);
    if (!sameBoot) this.#bootId = randomUUID();
    const { keeper, pid } = await boot(this.root, this.#options, this.#bootId);
    this.#keeper = keeper;
    this.#pid = pid;
    this.#closing = false;
    this.#watch(keeper);
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  /** The path of an inner file as this process sees it; no symbolic link is to lie on the way. */
  seen(inner: string): string {
    return `/proc/${this.#pid}/root${inner}`;
  }

  /** Its network, mount and process namespace. Until they are released, the kernel gives their names to no others. */
  holdNamespaces(): HeldNamespaces {
    const paths = ["net", "mnt", "pid"].map((kind) => `/proc/${this.#pid}/ns/${kind}`);
    const held = paths.map((path) => openSync(path, "r"));
    return { names: paths.map((path) => readlinkSync(path)), release: () => held.forEach(closeSync) };
  }

  /** A command for `run` and `start` that runs the engine's programs, of its own release where it has a root. */
  inEngine(command: readonly string[]): readonly string[] {
    return this.#options.engineRoot === undefined
      ? command
      : ["nsenter", `--target=${readFileSync(this.seen(ENGINE_KEEPER), "utf8").trim()}`, "--mount", ...command];
  }

  /** Runs a program inside. Never rejects: `code` is -1 for one that was ended by the time limit. */
  run(
    command: readonly string[],
    options: { readonly ms?: number; readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<Ran> {
    // nsenter forks, and what it has forked would outlive it.
    const mortal = ["setpriv", "--pdeathsig", "KILL", ...command];
    return execute(this.#enter(mortal), options.env ?? process.env, options);
  }

  /** What a program inside prints; throws when it fails. */
  async text(...command: readonly string[]): Promise<string> {
    const ran = await this.run(command);
    if (ran.code !== 0) throw new Error(`${command.join(" ")}: exit ${ran.code}: ${ran.err || ran.out}`);
    return ran.out.trim();
  }

  /** Runs a shell's script inside. Throws when it fails. */
  sh(script: string): Promise<string> {
    return this.text("sh", "-c", `set -e; ${script}`);
  }

  /** Starts a program inside that stays. */
  start(command: readonly string[], env: NodeJS.ProcessEnv = process.env): Inside {
    const [file = "", ...args] = this.#enter(command);
    return follow(spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env }));
  }

  /** Ends everything, and removes what it leaves in the file system. */
  async close(): Promise<void> {
    await this.#end(undefined);
    rmSync(this.root, { recursive: true, force: true });
    removeCgroups(this.cgroup);
  }

  async #end(signal: "SIGKILL" | undefined): Promise<void> {
    this.#closing = true;
    const ended = once(this.#keeper, "exit");
    if (signal) process.kill(this.#pid, signal);
    this.#keeper.stdin?.end();
    if (this.#keeper.exitCode === null && this.#keeper.signalCode === null) await ended;
  }

  #watch(keeper: ChildProcess): void {
    keeper.once("exit", (code, signal) => {
      if (!this.#closing) console.log(`\nNOTE the stage's first process ended by itself (${signal ?? code})`);
    });
  }

  #enter(command: readonly string[]): readonly string[] {
    return ["nsenter", `--target=${this.#pid}`, "--net", "--mount", "--pid", "--", ...command];
  }
}

/** Namespaces that are kept from ending. */
export interface HeldNamespaces {
  /** As /proc names them: `net:[…]`. */
  readonly names: readonly string[];
  release(): void;
}

interface Booted {
  readonly keeper: ChildProcess;
  readonly pid: number;
}

/** Makes the namespaces. The kernel tells `bootId` to those inside. */
async function boot(root: string, { engineRoot, bridgeFilter, shown }: StageOptions, bootId: string): Promise<Booted> {
  const engine = join(root, ENGINE);
  const script = `
    set -e
    mount --make-rprivate /
    mount -t tmpfs tmpfs /run
    mount --make-shared /run
    mkdir -p /run/docker/plugins /run/lock /run/etc/upper /run/etc/work
    mount -t overlay overlay -o lowerdir=/etc,upperdir=/run/etc/upper,workdir=/run/etc/work /etc
    mount --bind ${root}/lib /var/lib
    echo ${bootId} >/run/boot-id
    # A /proc with something mounted in it is not enough for bubblewrap: the kernel wants to see a whole one.
    mkdir /run/proc; mount -t proc proc /run/proc
    mount --bind /run/boot-id /proc/sys/kernel/random/boot_id
    for one in /proc/sys/net/bridge/bridge-nf-call-*; do echo ${bridgeFilter} >$one; done
    ip link set lo up
    ${engineRoot === undefined ? "" : engineRootScript(engineRoot, engine, root, shown?.(root) ?? {})}
    echo ready
    cat`;
  const keeper = spawn(
    "unshare",
    ["--net", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "sh", "-c", script],
    { stdio: ["pipe", "pipe", "pipe"] },
  );
  let err = "";
  keeper.stderr.setEncoding("utf8").on("data", (text: string) => {
    err += text;
  });
  const said = await Promise.race([once(keeper.stdout, "data"), once(keeper, "exit")]);
  const [pid] = childrenOf(keeper.pid ?? 0);
  if (String(said[0]) !== "ready\n" || pid === undefined) throw new Error(`no namespaces to play in: ${err}`);
  return { keeper, pid };
}

/**
 * The root of another release, what is written to it in memory; /run is one with the stage's, mounts below it included. A namespace
 * of its own and no chroot: what enters a container's mount namespace gets the root of that, and there it would be the machine's.
 */
function engineRootScript(
  engineRoot: string,
  engine: string,
  root: string,
  shown: Readonly<Record<string, string>>,
): string {
  const binds = Object.entries(shown).map(([at, from]) => {
    const make = statSync(from).isDirectory() ? `mkdir -p ${engine}${at}` : `touch ${engine}${at}`;
    return `mkdir -p ${engine}${dirname(at)}; ${make}; mount --bind ${from} ${engine}${at}`;
  });
  return `
    mkdir -p ${engine} /run/engine/upper /run/engine/work
    mount -t overlay overlay -o lowerdir=${engineRoot},upperdir=/run/engine/upper,workdir=/run/engine/work ${engine}
    for one in /proc /sys /dev; do mount --rbind $one ${engine}$one; mount --make-rslave ${engine}$one; done
    mount --bind /run ${engine}/run
    mkdir -p ${engine}/var/lib/docker ${engine}${root} ${engine}/machine
    mount --bind ${root}/lib/docker ${engine}/var/lib/docker
    mount --bind ${root} ${engine}${root}
    ${binds.join("\n    ")}
    unshare --mount --propagation unchanged sh -ec '
      cd ${engine}; pivot_root . machine; cd /
      mount --make-rprivate /machine; umount -l /machine
      echo $$ >${ENGINE_KEEPER}; exec sleep infinity' &
    until test -s ${ENGINE_KEEPER}; do kill -0 $!; sleep 0.02; done`;
}

/** What runs that were killed have left: their processes are gone already. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) {
      rmSync(join(tmpdir(), name), { recursive: true, force: true });
      removeCgroups(`${PREFIX}${pid}`);
    }
  }
}

function removeCgroups(cgroup: string): void {
  for (const folder of cgroups(cgroup)) {
    for (const below of readdirSync(folder, { withFileTypes: true }))
      if (below.isDirectory()) rmdirSync(join(folder, below.name));
    rmdirSync(folder);
  }
}

/** The control groups of that name, in every hierarchy. */
export function cgroups(name: string): readonly string[] {
  const root = "/sys/fs/cgroup";
  return [root, ...readdirSync(root).map((one) => join(root, one))].flatMap((folder) => {
    try {
      return readdirSync(folder).includes(name) ? [join(folder, name)] : [];
    } catch {
      return [];
    }
  });
}
