/** SIGKILL of a platform whose host processes are just being started: bubblewrap leaves nobody waiting half-way. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { START_KILLS as ROUNDS } from "../amounts.js";
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: the platform is killed at a start");
const PLATFORM = fileURLToPath(new URL("./starts-to-kill.js", import.meta.url));
/** The last moment at which it is killed; until then host processes are started and ended all the time. */
const LAST_MS = 120;
const GONE_MS = 2000;

/** Processes of the platform's walls: its runtime folder stands in their command line. */
function of(platform: number): readonly string[] {
  return readdirSync("/proc").filter((name) => {
    if (!/^\d+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, "latin1").includes(`/bulkhead-runtime-${platform}-`);
    } catch {
      // It has just ended.
      return false;
    }
  });
}

test(
  `${ROUNDS} times, at any moment: no process of its walls is left within ${GONE_MS} ms`,
  async (t) => {
    const tmp = await t.folder();
    chmodSync(tmp, 0o755);
    let seen = 0;
    for (let round = 0; round < ROUNDS; round++) {
      const platform = fork(PLATFORM, round % 2 === 0 ? ["spawner"] : [], { env: { ...process.env, TMPDIR: tmp } });
      t.cleanup(() => platform.kill("SIGKILL"));
      const pid = platform.pid as number;
      await once(platform, "message");
      await new Promise((resolve) => setTimeout(resolve, (LAST_MS * round) / ROUNDS));
      seen += of(pid).length;
      platform.kill("SIGKILL");
      await once(platform, "exit");
      await until(() => of(pid).length === 0, `the end of all that platform ${pid} had started`, GONE_MS);
    }
    // On a busy machine most platforms are killed before they have started anything.
    assert.ok(seen >= ROUNDS / 5, `${seen} processes at the moments of the kills`);
  },
  { ms: 120_000, needs: noBubblewrap },
);

test.run();
