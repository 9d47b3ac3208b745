/** A process started through the spawner behaves as one that the platform starts itself: its streams, its end, its descriptors. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Child, Streams } from "#dist/spawner/child.js";
import { LocalChild } from "#dist/spawner/local-child.js";
import { acquireSpawner, startChild } from "#dist/spawner/spawner.js";
import type { ChildSpec } from "#dist/spawner/spec.js";
import { assert, suite, type TestContext } from "../harness.js";
import { parentOf, spawnerOf } from "./spawner-of.js";

const test = suite("isolation: a process of the spawner");
const linux = process.platform === "linux" ? undefined : "the spawner is looked for in /proc, which is Linux";

async function up(t: TestContext): Promise<number> {
  const lost: string[] = [];
  const lease = acquireSpawner((detail) => lost.push(detail));
  t.cleanup(async () => {
    await lease.release();
    assert.equal(lost, [], "the spawner's end by itself");
  });
  await lease.settled;
  const pid = spawnerOf(process.pid);
  assert.ok(pid !== undefined, "the spawner is up");
  return pid;
}

function shell(script: string, ...args: readonly string[]): ChildSpec {
  const env = { PATH: "/usr/bin:/bin", GIVEN: "1" };
  return {
    command: "/bin/sh",
    args: ["-c", script, "sh", ...args],
    cwd: "/",
    env,
    streams: ["pipe", "pipe", "pipe", "pipe"],
  };
}

interface Ran {
  readonly events: string[];
  readonly out: string;
}

type Start = (spec: ChildSpec, events: ConstructorParameters<typeof LocalChild>[1]) => Child;

/** Runs it to its end. */
function run(start: Start, spec: ChildSpec, begun: (child: Child, streams: Streams) => void = () => {}): Promise<Ran> {
  return new Promise((resolve) => {
    const events: string[] = [];
    let out = "";
    const child = start(spec, {
      started(streams) {
        events.push("started");
        streams[1]?.setEncoding("utf8").on("data", (part: string) => {
          out += part;
        });
        begun(child, streams);
      },
      failed(why) {
        events.push(`failed: ${why}`);
        resolve({ events, out });
      },
      exited: (how) => events.push(`exited: ${how}`),
      closed() {
        events.push("closed");
        resolve({ events, out });
      },
    });
  });
}

const here: Start = (spec, events) => new LocalChild(spec, events);

for (const [where, start] of [
  ["the spawner", startChild],
  ["the platform", here],
] as const) {
  test(
    `started by ${where}: all it writes arrives, also just before its end, and its exit code is told`,
    async (t) => {
      await up(t);
      const { events, out } = await run(start, shell("seq 1 50000; exit 7"));
      assert.equal(events, ["started", "exited: exit 7", "closed"]);
      assert.is(out, `${Array.from({ length: 50_000 }, (_, n) => n + 1).join("\n")}\n`);
    },
    { needs: linux },
  );

  test(
    `started by ${where}: it reads what it is sent, from the first byte, and a signal that ended it is told`,
    async (t) => {
      await up(t);
      const spec = shell("read -r line <&3; echo $line; kill -KILL $$");
      const { events, out } = await run(start, spec, (_, streams) => streams[3]?.write("all of it\n"));
      assert.equal(events, ["started", "exited: SIGKILL", "closed"]);
      assert.is(out, "all of it\n");
    },
    { needs: linux },
  );

  test(
    `started by ${where}: it has the descriptors and the environment that are named`,
    async (t) => {
      await up(t);
      const { out } = await run(start, shell("env; ls -l /proc/$$/fd"));
      assert.equal(out.match(/^\w+=.*$/gm)?.sort(), ["GIVEN=1", "PATH=/usr/bin:/bin", "PWD=/"]);
      const held = [...out.matchAll(/ (\d+) -> (\S+)$/gm)].map(([, fd, what]) => [Number(fd), what] as const);
      assert.equal(
        held.filter(([, what]) => what !== "/dev/null").map(([fd]) => fd),
        [0, 1, 2, 3],
        out,
      );
    },
    { needs: linux },
  );

  test(
    `started by ${where}: what cannot be started says why`,
    async (t) => {
      await up(t);
      const { events } = await run(start, { ...shell(""), cwd: join(await t.folder(), "gone") });
      assert.is(events.length, 1, events.join());
      assert.match(events[0] ?? "", /^failed: .*ENOENT/);
    },
    { needs: linux },
  );

  test(
    `started by ${where}: a leader's group ends with it`,
    async (t) => {
      await up(t);
      // The background process holds the streams open: they close when it has ended.
      const { events } = await run(start, { ...shell("sleep 1000 & exit 3"), group: true });
      assert.equal(events, ["started", "exited: exit 3", "closed"]);
    },
    { needs: linux },
  );
}

test(
  "its parent is the spawner, which a service manager's signal to all processes of the service does not end",
  async (t) => {
    const pid = await up(t);
    for (const signal of ["SIGTERM", "SIGINT", "SIGHUP"] as const) process.kill(pid, signal);
    let parent: number | undefined;
    await run(startChild, shell("read -r line <&3"), (child, streams) => {
      parent = parentOf(child.pid as number);
      streams[3]?.end("on\n");
    });
    assert.is(parent, pid);
  },
  { needs: linux },
);

test(
  "killed before it is started: its command never runs",
  async (t) => {
    await up(t);
    const file = join(await t.folder(), "ran");
    const events = await new Promise<string[]>((resolve) => {
      const all: string[] = [];
      startChild(shell(': >"$1"', file), {
        started: () => all.push("started"),
        failed: (why) => all.push(why),
        exited: (how) => all.push(`exited: ${how}`),
        closed: () => resolve([...all, "closed"]),
      }).kill();
    });
    assert.equal(events, ["exited: SIGKILL", "closed"]);
    assert.not.ok(existsSync(file));
  },
  { needs: linux },
);

test.run();
