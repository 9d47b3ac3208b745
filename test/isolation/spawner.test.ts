/** The spawner starts host processes for the platform: nothing of it leaks into them, its end is survived, and it ends with the platform. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { assert, suite, until } from "../harness.js";
import { house, row } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { parentOf, runs, spawnerOf } from "./spawner-of.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: the spawner");
const PLATFORM = fileURLToPath(new URL("./platform-to-kill.js", import.meta.url));

const GOOD = plugin("good", { methods: `endpointOperInfo() { return { well: "yes" }; },` });

/** What a process's descriptors are. */
const descriptors = (pid: number): ReadonlyMap<number, string> =>
  new Map(
    readdirSync(`/proc/${pid}/fd`).flatMap((fd) => look(() => [Number(fd), readlinkSync(`/proc/${pid}/fd/${fd}`)])),
  );

function look<T>(read: () => T): T[] {
  try {
    return [read()];
  } catch {
    return [];
  }
}

const sockets = (pid: number): readonly string[] =>
  [...descriptors(pid).values()].filter((one) => one.startsWith("socket:"));

/** Returns the spawner of this process, which is up by now. */
function spawner(): number {
  const pid = spawnerOf(process.pid);
  assert.ok(pid !== undefined, "a spawner runs");
  return pid;
}

test(
  "a host process has its own streams and /dev/null; the spawner keeps none of them, and ends with the last host",
  async (t) => {
    const { open } = await house(t, { "shared.js": plugin("shared"), "alone.js": plugin("alone") });
    const host = await open({ isolation: "process", policy: { plugins: { alone: { isolation: "dedicated" } } } });
    const pid = spawner();
    const own = sockets(pid);
    for (const [name, slots] of [
      ["shared", 32],
      ["alone", 1],
    ] as const) {
      const inside = row(host, name).pid as number;
      const outer = parentOf(inside) as number;
      assert.is(parentOf(outer), pid, `${name} is the spawner's child`);
      const held = descriptors(inside);
      assert.equal([held.get(0), held.get(1)], ["/dev/null", "/dev/null"], name);
      // 2: standard error; 3: its own stream; 4 is closed by bubblewrap, and 5 read by it.
      const streams = [2, 3, ...Array.from({ length: slots }, (_, slot) => 6 + slot)];
      for (const one of streams) assert.match(held.get(one) ?? "closed", /^socket:/, `${name}: descriptor ${one}`);
      const wanted = new Set(streams.map((one) => held.get(one)));
      const foreign = [...held].filter(([, what]) => what.startsWith("socket:") && !wanted.has(what));
      assert.equal(foreign, [], `${name}: other sockets`);
      for (const one of [inside, outer])
        for (const socket of sockets(one)) assert.not.ok(own.includes(socket), `${name} holds the spawner's ${socket}`);
    }
    assert.is(new Set(own).size, 2, `only its channel and its standard input: ${own}`);
    await host.close();
    assert.not.ok(runs(pid), "the spawner after the host has closed");
  },
  { needs: noBubblewrap, ms: 60_000 },
);

test(
  "it is killed: its host processes are lost and said to be, plugins serve again, and another spawner starts",
  async (t) => {
    const { open, log } = await house(t, { "good.js": GOOD });
    const host = await open({ isolation: "process" });
    const first = spawner();
    const { pid: lost } = row(host, "good");
    process.kill(first, "SIGKILL");
    await until(() => row(host, "good").state === "running" && row(host, "good").pid !== lost, "its restart", 20_000);
    assert.not.ok(runs(lost as number), "the lost host process");
    await host.driver("good").createNetwork("n");
    const said = log.filter(({ level }) => level === "error").map(({ text }) => text);
    assert.is(said.length, 1, said.join("\n"));
    assert.match(said[0] ?? "", /^the spawner has ended \(SIGKILL\): .*until another one is up/);
    await until(() => spawnerOf(process.pid) !== undefined, "the next spawner", 20_000);
    assert.is.not(spawner(), first);
  },
  { needs: noBubblewrap, ms: 60_000 },
);

test(
  "the platform is killed: its spawner ends too",
  async (t) => {
    const tmp = await t.folder();
    chmodSync(tmp, 0o755);
    const plugins = await t.folder();
    for (const name of ["shared", "alone"]) await writeFile(join(plugins, `${name}.js`), plugin(name));
    const platform = fork(PLATFORM, [plugins], { env: { ...process.env, TMPDIR: tmp } });
    t.cleanup(() => platform.kill("SIGKILL"));
    await once(platform, "message");
    const pid = spawnerOf(platform.pid as number);
    assert.ok(pid !== undefined, "it has one");
    platform.kill("SIGKILL");
    await once(platform, "exit");
    await until(() => !runs(pid), "the spawner's end", 5_000);
  },
  { needs: noBubblewrap, ms: 60_000 },
);

test(
  "the platform ends while it is handed streams: the spawner ends, and what it was starting never runs",
  async (t) => {
    const marker = join(await t.folder(), "ran");
    const platform = fork(fileURLToPath(new URL("./dies-at-handover.js", import.meta.url)), [marker]);
    t.cleanup(() => platform.kill("SIGKILL"));
    const [pid] = (await once(platform, "message")) as [number];
    t.cleanup(() => void (runs(pid) && process.kill(pid, "SIGKILL")));
    await once(platform, "exit");
    await until(() => !runs(pid), "the spawner's end", 5_000);
    const waits = (): boolean =>
      readdirSync("/proc").some((one) =>
        look(() => readFileSync(`/proc/${one}/cmdline`, "latin1"))
          .join()
          .includes(marker),
      );
    await until(() => !waits(), "the end of the process at its gate", 5_000);
    assert.not.ok(existsSync(marker));
  },
  { needs: process.platform === "linux" ? undefined : "processes are looked for in /proc, which is Linux" },
);

test.run();
