/** SIGKILL of the platform: within two seconds no process, mount or namespace of its is left; what lies in a folder, the next start takes. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, suite, type TestContext } from "../harness.js";
import { plugin } from "../kit/plugins.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: the platform is killed");
const PLATFORM = fileURLToPath(new URL("./platform-to-kill.js", import.meta.url));
const GONE_MS = 2_000;
/** Of each of them a host process has one of its own. */
const NAMESPACES = ["user", "ipc", "pid", "net", "uts", "mnt"] as const;

interface Platform {
  readonly child: ChildProcess;
  /** Its host processes with plugins. */
  readonly pids: readonly number[];
}

async function start(t: TestContext, plugins: string, tmp: string): Promise<Platform> {
  const child = fork(PLATFORM, [plugins], { env: { ...process.env, TMPDIR: tmp } });
  t.cleanup(() => child.kill("SIGKILL"));
  const [{ pids }] = (await once(child, "message")) as [{ readonly pids: readonly number[] }];
  return { child, pids };
}

/** All that run. One that has ended holds nothing; when it leaves the list depends on the process that adopted it. */
const processes = (): readonly number[] => readdirSync("/proc").map(Number).filter(Number.isInteger).filter(running);

function running(pid: number): boolean {
  const stat = look(() => readFileSync(`/proc/${pid}/stat`, "latin1"));
  return stat !== undefined && !/^[ZX]/.test(stat.slice(stat.lastIndexOf(")") + 2));
}

/** What /proc tells, or nothing of a process that has just gone. */
function look<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

const namespaceOf = (pid: number, kind: string): string | undefined =>
  look(() => readlinkSync(`/proc/${pid}/ns/${kind}`));

/** All that is left of it: processes that name its folder or hold its namespaces, and mounts of its folder. */
function left(folder: string, namespaces: ReadonlySet<string>): readonly string[] {
  const found: string[] = [];
  for (const pid of processes()) {
    const command = look(() => readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " "));
    if (command?.includes(folder)) found.push(`process ${pid}: ${command.slice(0, 200)}`);
    if (look(() => readFileSync(`/proc/${pid}/mountinfo`, "utf8"))?.includes(folder.slice(folder.lastIndexOf("/"))))
      found.push(`a mount in the sight of process ${pid}`);
    for (const kind of NAMESPACES) {
      const namespace = namespaceOf(pid, kind);
      if (namespace !== undefined && namespaces.has(namespace)) found.push(`namespace ${namespace} of process ${pid}`);
    }
  }
  return found;
}

const runtimeFolders = (tmp: string): readonly string[] =>
  readdirSync(tmp)
    .filter((name) => name.startsWith("bulkhead-runtime-"))
    .map((name) => join(tmp, name));

test(
  "no process, mount or namespace of it is left within two seconds, and the next start removes its folder",
  async (t) => {
    const tmp = await t.folder();
    chmodSync(tmp, 0o755);
    const plugins = await t.folder();
    for (const name of ["shared", "alone"]) await writeFile(join(plugins, `${name}.js`), plugin(name));
    const first = await start(t, plugins, tmp);
    const [folder = ""] = runtimeFolders(tmp);
    assert.ok(folder, "its runtime folder");
    assert.is(new Set(first.pids).size, 2, "a shared and a dedicated host process");
    const mine = new Set(NAMESPACES.map((kind) => namespaceOf(process.pid, kind)));
    const namespaces = new Set<string>();
    for (const pid of first.pids)
      for (const kind of NAMESPACES) {
        const namespace = namespaceOf(pid, kind);
        assert.ok(namespace !== undefined && !mine.has(namespace), `${kind} of ${pid}: ${namespace}`);
        namespaces.add(namespace);
      }
    // What is looked for is there to be found.
    const before = left(folder, namespaces);
    for (const word of ["process ", "a mount ", "namespace "])
      assert.ok(
        before.some((one) => one.startsWith(word)),
        word,
      );

    first.child.kill("SIGKILL");
    const killed = performance.now();
    await once(first.child, "exit");
    let rest = before;
    while (rest.length > 0 && performance.now() - killed < GONE_MS) rest = left(folder, namespaces);
    const ms = Math.round(performance.now() - killed);
    assert.equal(rest, [], "what is left of a platform that was killed");
    assert.ok(ms <= GONE_MS, `${ms} ms`);
    for (const pid of first.pids) assert.not.ok(running(pid), `process ${pid}`);

    const second = await start(t, plugins, tmp);
    assert.not.ok(existsSync(folder), "the folder of the killed one");
    assert.is(runtimeFolders(tmp).length, 1);
    second.child.kill("SIGKILL");
    await once(second.child, "exit");
    console.log(`\nNOTE a killed platform's host processes, mounts and namespaces were gone after ${ms} ms`);
  },
  { ms: 60_000, needs: noBubblewrap },
);

test.run();
