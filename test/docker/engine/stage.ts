/**
 * Where the acceptance plays: network, mount and process namespaces of its own. Its first process ends when its standard input
 * does, also because the test was killed, and the kernel ends every other one in there with it: engine, containers, daemon.
 */
import { type ChildProcess, execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync, rmdirSync, rmSync } from "node:fs";
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { kernelProblem } from "#dist/permissions/netlink/kernel/available.js";
import { program } from "#dist/permissions/netlink/kernel/programs.js";

/** Everything of ours in the temp folder, and the control groups of our containers, is named so; a process id follows. */
const PREFIX = "bulkhead-engine-";

/** What a program said, and how it ended. */
export interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
  readonly ms: number;
}

/** A process inside, by its id outside. */
export interface Inside {
  readonly child: ChildProcess;
  /** How it ended, in a word. */
  readonly ended: Promise<string>;
  /** All it said on standard error. */
  log(): string;
  kill(signal: "SIGKILL" | "SIGTERM"): Promise<void>;
  /** The processes below it whose command line has a text. */
  below(text: string): readonly number[];
}

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

/** The processes that a process has started, and that live; of any of its threads. */
function childrenOf(pid: number): readonly number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    const texts = threads.map((thread) => readFileSync(`/proc/${pid}/task/${thread}/children`, "utf8"));
    return texts.flatMap((text) => text.split(" ").filter(Boolean).map(Number));
  } catch {
    return [];
  }
}

export class Stage {
  /** A folder that is seen inside and outside; in it `plugins`, which inside is the engine's folder of plugin sockets. */
  readonly root: string;
  /** The parent of the containers' control groups. */
  readonly cgroup: string = `${PREFIX}${process.pid}`;
  readonly #keeper: ChildProcess;
  readonly #pid: number;
  #closing = false;

  private constructor(root: string, keeper: ChildProcess, pid: number) {
    this.root = root;
    this.#keeper = keeper;
    this.#pid = pid;
    keeper.once("exit", (code, signal) => {
      if (!this.#closing) console.log(`\nNOTE the stage's first process ended by itself (${signal ?? code})`);
    });
  }

  static async open(): Promise<Stage> {
    sweep();
    const root = await mkdtemp(join(tmpdir(), `${PREFIX}${process.pid}-`));
    for (const folder of ["plugins", "lib"]) mkdirSync(join(root, folder));
    const script = `
      set -e
      mount --make-rprivate /
      mount -t tmpfs tmpfs /run
      mkdir -p /run/docker/plugins /run/lock
      mount --bind ${root}/plugins /run/docker/plugins
      mount --bind ${root}/lib /var/lib
      ip link set lo up
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
    return new Stage(root, keeper, pid);
  }

  path(...parts: readonly string[]): string {
    return join(this.root, ...parts);
  }

  /** Runs a program inside. Never rejects: `code` is -1 for one that was ended by the time limit. */
  run(
    command: readonly string[],
    options: { readonly ms?: number; readonly input?: string; readonly env?: NodeJS.ProcessEnv } = {},
  ): Promise<Ran> {
    return execute(this.#enter(command), options.env ?? process.env, options);
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
    const child = spawn(file, args, { stdio: ["ignore", "pipe", "pipe"], env });
    let err = "";
    child.stderr.setEncoding("utf8").on("data", (text: string) => {
      // The end of it says what went wrong.
      err = (err + text).slice(-200_000);
    });
    const ended = once(child, "exit").then(([code, signal]) => String(signal ?? code));
    return {
      child,
      ended,
      log: () => err,
      async kill(signal) {
        // The child is nsenter, which has forked: a signal must reach the program itself.
        const [pid] = childrenOf(child.pid ?? 0);
        if (child.exitCode !== null || pid === undefined) return;
        process.kill(pid, signal);
        await ended;
      },
      below(text) {
        const walk = (pid: number): readonly number[] => childrenOf(pid).flatMap((one) => [one, ...walk(one)]);
        return walk(child.pid ?? 0).filter((pid) => commandLine(pid).includes(text));
      },
    };
  }

  /** Ends everything, and removes what it leaves in the file system. */
  async close(): Promise<void> {
    this.#closing = true;
    const ended = once(this.#keeper, "exit");
    this.#keeper.stdin?.end();
    if (this.#keeper.exitCode === null) await ended;
    remove(this.root, this.cgroup);
  }

  #enter(command: readonly string[]): readonly string[] {
    return ["nsenter", `--target=${this.#pid}`, "--net", "--mount", "--pid", "--", ...command];
  }
}

/** Runs a program, with a limit on its time. Never rejects. */
export function execute(
  [file = "", ...args]: readonly string[],
  env: NodeJS.ProcessEnv,
  { ms = 60_000, input }: { readonly ms?: number; readonly input?: string } = {},
): Promise<Ran> {
  const began = performance.now();
  return new Promise((resolve) => {
    const child = execFile(file, args, { env, timeout: ms, killSignal: "SIGKILL" }, (error, out, err) => {
      const code = error === null ? 0 : typeof error.code === "number" ? error.code : -1;
      resolve({ code, out, err: err || (error?.message ?? ""), ms: performance.now() - began });
    });
    child.stdin?.end(input);
  });
}

/** What runs that were killed have left: their processes are gone already. */
function sweep(): void {
  for (const name of readdirSync(tmpdir())) {
    const pid = new RegExp(`^${PREFIX}(\\d+)-`).exec(name)?.[1];
    if (pid !== undefined && !isAlive(Number(pid))) remove(join(tmpdir(), name), `${PREFIX}${pid}`);
  }
}

function remove(root: string, cgroup: string): void {
  rmSync(root, { recursive: true, force: true });
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

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return "";
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
