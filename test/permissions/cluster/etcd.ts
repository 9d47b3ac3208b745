/** An etcd of the test's own: members on loopback, each with a temporary folder, ended with the test. */
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync } from "node:fs";
import { connect, createServer } from "node:net";
import { join } from "node:path";
import type { TestContext } from "../../harness.js";
import { FAST, until } from "../../harness.js";

/** The machine's own etcd, and that of a newer Debian's root, which runs on the machine's libraries. */
const PROGRAM = "etcd";
const ROOT = join(process.env.BULKHEAD_ROOTS ?? "/var/cache/bulkhead-roots", "trixie");
export const NEWER_ETCD: string = join(ROOT, "usr/bin/etcd");

/** Why etcd cannot be tested here. */
export const noEtcd: string | undefined = FAST
  ? "npm run test:fast"
  : etcdProblem(PROGRAM, 4, "etcd is missing: apt-get install etcd-server");
/** Why a newer one cannot be. */
export const noNewerEtcd: string | undefined = FAST
  ? "npm run test:fast"
  : etcdProblem(NEWER_ETCD, 5, `there is no etcd in ${ROOT} (make it: test/docker/engine/root.sh trixie)`);

function etcdProblem(program: string, least: number, missing: string): string | undefined {
  try {
    const [, minor = "0"] =
      /etcd Version: 3\.(\d+)/.exec(execFileSync(program, ["--version"], { encoding: "utf8", stdio: "pipe" })) ?? [];
    return Number(minor) >= least ? undefined : `etcd 3.${least} or later is required`;
  } catch {
    return missing;
  }
}

/** A running etcd. */
export interface Etcd {
  readonly port: number;
  readonly url: string;
  /** Ends it, and resolves when it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Stops all of its threads, and resolves when they stand; `kill("SIGKILL")` still ends it. */
  freeze(): Promise<void>;
  thaw(): void;
  /** Starts it again on the same ports, with its data or with another folder's. Resolves when it answers. */
  start(folder?: string): Promise<void>;
  /** Calls the JSON gateway, as somebody else than Bulkhead. */
  call(path: string, request: object): Promise<Record<string, unknown>>;
}

/** Starts one. */
export async function startEtcd(
  t: TestContext,
  flags: readonly string[] = [],
  scheme = "http",
  program: string = PROGRAM,
): Promise<Etcd> {
  const [etcd] = await startMembers(t, 1, flags, scheme, program);
  if (!etcd) throw new Error("no member");
  return etcd;
}

/** Starts the members of one cluster. */
export async function startMembers(
  t: TestContext,
  count: number,
  flags: readonly string[] = [],
  scheme = "http",
  program: string = PROGRAM,
): Promise<readonly Etcd[]> {
  const places = await Promise.all(
    Array.from({ length: count }, async (_, n) => ({ name: `m${n}`, port: await freePort(), peer: await freePort() })),
  );
  const initial = places.map(({ name, peer }) => `${name}=http://127.0.0.1:${peer}`).join(",");
  // A member alone needs no time to be elected.
  const pace = count === 1 ? [20, 200] : [50, 500];
  const members = await Promise.all(
    places.map(async ({ name, port, peer }) => {
      const peers = `http://127.0.0.1:${peer}`;
      const url = `${scheme}://127.0.0.1:${port}`;
      return memberOf(t, await t.folder(), { port, url, program }, [
        ...["--name", name, "--listen-client-urls", url, "--advertise-client-urls", url],
        ...["--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers, "--initial-cluster", initial],
        ...["--heartbeat-interval", String(pace[0]), "--election-timeout", String(pace[1]), "--log-level", "error"],
        ...flags,
      ]);
    }),
  );
  await Promise.all(members.map((member) => member.start()));
  return members;
}

function memberOf(
  t: TestContext,
  own: string,
  { port, url, program }: { readonly port: number; readonly url: string; readonly program: string },
  flags: readonly string[],
): Etcd {
  let child: ChildProcess | undefined;
  const etcd: Etcd = {
    port,
    url,
    async kill(signal) {
      if (!child || child.exitCode !== null || child.signalCode !== null) return;
      const ended = once(child, "exit");
      child.kill(signal);
      await ended;
    },
    async freeze() {
      child?.kill("SIGSTOP");
      await until(() => stands(child?.pid ?? 0), "etcd to stand");
    },
    thaw: () => void child?.kill("SIGCONT"),
    async start(folder = own) {
      child = spawn(program, ["--data-dir", `${folder}/data`, ...flags], { stdio: "ignore" });
      if (url.startsWith("https:")) await until(() => listens(port), "etcd to listen", 15_000);
      else await until(() => answers(etcd), "etcd to answer", 15_000);
    },
    async call(path, request) {
      const reply = await fetch(`${url}/v3/${path}`, {
        method: "POST",
        body: JSON.stringify(request),
        signal: AbortSignal.timeout(5_000),
      });
      return (await reply.json()) as Record<string, unknown>;
    },
  };
  t.cleanup(() => etcd.kill("SIGKILL"));
  return etcd;
}

/** True if all threads of a process are stopped. */
function stands(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`);
  return threads.every((thread) => / T /.test(readFileSync(`/proc/${pid}/task/${thread}/stat`, "utf8")));
}

/** True once it has a leader; one with accounts refuses the request, and has one too. */
async function answers(etcd: Etcd): Promise<boolean> {
  try {
    const { header, message } = await etcd.call("kv/range", { key: "AA==" });
    return header !== undefined || /user name is empty/.test(String(message));
  } catch {
    return false;
  }
}

/** Returns a port that nothing listens on now. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  server.close();
  await once(server, "close");
  if (address === null || typeof address === "string") throw new Error("no port");
  return address.port;
}

async function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1", () => {
      socket.destroy();
      resolve(true);
    });
    socket.on("error", () => resolve(false));
  });
}
