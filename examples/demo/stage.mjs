/** The demo's plugins folder, host and processes. */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { createPluginHost } from "bulkhead";
import { program as findProgram } from "#dist/permissions/netlink/kernel/programs.js";
import { namespacesLeft } from "./ground.mjs";

const root = fileURLToPath(new URL("../..", import.meta.url));
const quiet = { debug() {}, info() {}, warn() {}, error() {} };

/** The grant that an operator would give. */
const POLICY = {
  // The strongest wall that this machine has: the demo runs anywhere, and says which wall it uses.
  sandbox: "auto",
  plugins: {
    bridge: {
      grant: {
        scope: "local",
        log: true,
        store: true,
        netlink: { kinds: ["bridge", "veth"], prefix: "bh", max: 64, subnets: ["10.64.0.0/10", "fd64::/48"] },
      },
    },
    hang: { timeouts: { default: 1000 } },
  },
};

/** Starts a host that watches a temporary copy of plugins/. `close` ends everything that was started. */
export function openStage(ground) {
  const folder = mkdtempSync(join(tmpdir(), `bulkhead-demo-${process.pid}-`));
  const plugins = join(folder, "plugins");
  const children = new Set();
  let starting;
  let host;
  let closing;

  const close = async () => {
    await starting?.catch(() => {});
    await host?.close();
    await Promise.all([...children].map((child) => child.end()));
    stage.removeNow();
  };
  const refuseClosed = () => {
    if (closing) throw new Error("the demonstration is ending");
  };
  const stage = {
    ground,
    folder,
    /** Kills the process of a plugin's worker. */
    kill(plugin) {
      const { pid } = host.plugins().find(({ name }) => name === plugin);
      process.kill(pid, "SIGKILL");
    },
    /** Copies a file of examples/ into the plugins folder. */
    dropIn(file) {
      refuseClosed();
      cpSync(join(root, "examples", file), join(plugins, file.split("/").at(-1)));
    },
    get host() {
      return host;
    },
    async start() {
      refuseClosed();
      for (const name of ["bridge", "host", "null"]) {
        cpSync(join(root, "plugins", name), join(plugins, name), { recursive: true });
      }
      const { backend, host: netns } = ground;
      starting = createPluginHost({ plugins, policy: POLICY, backend, netns, watch: true, logger: quiet });
      host = await starting;
      return host;
    },
    /** Starts a program in a namespace. `lines` is called with each line it prints. */
    run(netns, program, args, lines = () => {}) {
      refuseClosed();
      const child = new Child(netns, program, args, lines);
      children.add(child);
      void child.ended.finally(() => children.delete(child)).catch(() => {});
      return child;
    },
    close() {
      closing ??= close();
      return closing;
    },
    /** Kills and removes everything at once, without waiting. */
    removeNow() {
      ground.remove();
      rmSync(folder, { recursive: true, force: true });
    },
    /** Lists what is left. Handles close one turn of the event loop after their resource. */
    async leftovers(end = performance.now() + 2000) {
      const left = stage.leftNow();
      if (left.length === 0 || performance.now() > end) return left;
      await new Promise((resolve) => setTimeout(resolve, 10));
      return stage.leftovers(end);
    },
    leftNow() {
      const left = ground.backend === "kernel" ? namespacesLeft().map((name) => `namespace ${name}`) : [];
      if (existsSync(folder)) left.push(folder);
      for (const kind of process.getActiveResourcesInfo())
        if (/Worker|MessagePort|Process|FSEvent|TCP/.test(kind)) left.push(kind);
      if (existsSync(`/proc/${process.pid}/task`)) {
        const pids = readdirSync(`/proc/${process.pid}/task`).flatMap((task) => {
          const text = readFileSync(`/proc/${process.pid}/task/${task}/children`, "utf8").trim();
          return text === "" ? [] : text.split(" ");
        });
        left.push(...pids.map((pid) => `process ${pid}`));
      }
      return left;
    },
  };
  return stage;
}

/** A process in a namespace. `ip netns exec` execs the program, so both have the same PID. */
class Child {
  #process;
  #stderr = "";
  /** Rejects with what it wrote to stderr. */
  ended;

  constructor(netns, program, args, lines) {
    this.#process = spawn(findProgram("ip") ?? "ip", ["netns", "exec", netns, program, ...args], { stdio: "pipe" });
    let rest = "";
    this.#process.stdout.setEncoding("utf8").on("data", (text) => {
      const all = (rest + text).split("\n");
      rest = all.pop();
      all.forEach(lines);
    });
    this.#process.stderr.setEncoding("utf8").on("data", (text) => {
      this.#stderr += text;
    });
    this.#process.stdin.on("error", () => {});
    this.ended = new Promise((resolve, reject) => {
      this.#process.once("error", reject);
      this.#process.once("close", (code, signal) => {
        if (code === 0) resolve();
        else reject(new Error(`${program} ${args.join(" ")}: ${this.#stderr.trim() || (signal ?? `exit ${code}`)}`));
      });
    });
    this.ended.catch(() => {});
  }

  /** Closes its stdin and waits for its end. */
  finish() {
    this.#process.stdin.end();
    return this.ended;
  }

  async end() {
    this.#process.kill("SIGKILL");
    await this.ended.catch(() => {});
  }
}

/** Resolves with a plugin's next event of that name. Rejects after `ms`. */
export function next(host, name, plugin, ms = 10_000) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${name} of "${plugin}" within ${ms} ms`)), ms);
    const listener = (event) => {
      if (event.plugin !== plugin) return;
      clearTimeout(timer);
      host.off(name, listener);
      resolve(event);
    };
    host.on(name, listener);
  });
}
