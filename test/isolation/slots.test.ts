/** A shared host process opens as many workers as it has streams for; the next one gets another process, and no worker is moved. */

import { HostProcesses } from "#dist/isolation/host-processes.js";
import { WALLS } from "#dist/isolation/limits.js";
import type { Link } from "#dist/isolation/link.js";
import type { ProcessLink } from "#dist/isolation/process-link.js";
import { raiseWall } from "#dist/isolation/walls/raise.js";
import { assert, suite } from "../harness.js";
import { noBubblewrap } from "./walled.js";

/** Resolves when the worker's thread has exited: until then its process takes no new one. */
function left(link: Link): Promise<void> {
  const one = link as ProcessLink;
  const { onLeft } = one;
  return new Promise((resolve) => {
    one.onLeft = () => {
      onLeft?.();
      resolve();
    };
  });
}

const test = suite("isolation: streams of a host process");

test(
  "its streams are used once each; then it takes no new worker, and keeps those it has",
  async (t) => {
    const aborted: unknown[] = [];
    const processes = new HostProcesses({
      demanded: () => "bubblewrap",
      wall: (demanded) => raiseWall(demanded, undefined),
      aborted: (end) => aborted.push(end),
    });
    t.cleanup(() => processes.close());
    const launcher = processes.launcher("process");
    const launch = (plugin: string): Promise<Link> => launcher.launch({ plugin, memoryMb: 32 });
    const stays = await launch("stays");
    let stayed = true;
    stays.onEnd = () => {
      stayed = false;
    };
    for (let used = 1; used < WALLS.slots; used++) {
      const link = await launch("reloaded");
      assert.is(link.pid, stays.pid);
      const gone = left(link);
      link.kill("reloaded");
      await gone;
    }
    const next = await launch("reloaded");
    assert.is.not(next.pid, stays.pid);
    assert.is(stayed, true);
    assert.equal(aborted, []);
  },
  { ms: 120_000, needs: noBubblewrap },
);

test.run();
