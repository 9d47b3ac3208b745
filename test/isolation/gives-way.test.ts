/** A plugin that crashes again and again lives in a process that lets all others go first; one with a clean record does not. */
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { getPriority } from "node:os";
import { assert, rejection, suite, until } from "../harness.js";
import { house, row } from "../kit/host.js";
import { plugin } from "../kit/plugins.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: gives way");
const NICE = 10;

const driver = (name: string): string =>
  plugin(name, { methods: `createNetwork(nid) { if (nid === "spin") for (;;); },` });

/** The niceness of all its threads, and of its session where this kernel has such. */
function figures(pid: number): number[] {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => getPriority(Number(thread)));
  const session = `/proc/${pid}/autogroup`;
  const nice = existsSync(session) ? /nice (-?\d+)/.exec(readFileSync(session, "latin1"))?.[1] : undefined;
  return [...new Set(nice === undefined ? threads : [...threads, Number(nice)])];
}

test(
  "its threads and its session have a tenth of the others' weight, from its second crash on",
  async (t) => {
    const { open } = await house(t, { "bad.js": driver("bad"), "good.js": driver("good") });
    const host = await open({
      isolation: "dedicated",
      policy: { plugins: { bad: { timeouts: { createNetwork: 100 } } } },
    });
    const own = getPriority();
    for (let crash = 1; crash <= 3; crash++) {
      const { pid } = row(host, "bad");
      await rejection(host.driver("bad").createNetwork("spin"));
      await until(() => row(host, "bad").state === "running" && row(host, "bad").pid !== pid, "its restart", 40_000);
      const nice = crash >= 2 ? NICE : own;
      await until(
        () => figures(row(host, "bad").pid as number).join() === String(nice),
        `niceness ${nice} after crash ${crash}`,
      );
    }
    assert.equal(figures(row(host, "good").pid as number), [own]);
  },
  { ms: 180_000, needs: noBubblewrap },
);

test.run();
