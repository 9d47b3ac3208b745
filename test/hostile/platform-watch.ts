/** Watches the platform's own process, which is the test's, while attacks go on behind the wall. */
import { strict as assert } from "node:assert";
import { readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { monitorEventLoopDelay } from "node:perf_hooks";
import { acquireRuntimeFolder, releaseRuntimeFolder } from "#dist/isolation/walls/runtime-folder.js";
import { until } from "../harness.js";
import { changes, fingerprint } from "./fingerprint.js";

/** The longest its event loop may stand still, in milliseconds: room for a busy machine, none for an attack's gain. */
const STALL_MS = 1000;
/** What its resident memory may grow by, in mebibytes: several hosts at once, and what the collector has not yet given back. */
const GROWTH_MB = 256;
const MIB = 1_048_576;

export interface PlatformWatch {
  /** Asserts that nothing changed, nothing is left, and the platform stayed what it was; says the figures. */
  done(): Promise<{ readonly stallMs: number; readonly grownMb: number }>;
}

export function watchPlatform(): PlatformWatch {
  const before = fingerprint();
  const folders = temporary();
  // Made once for all hosts of this process; each of them would copy it again.
  acquireRuntimeFolder();
  const rss = process.memoryUsage.rss();
  let most = rss;
  const memory = setInterval(() => {
    most = Math.max(most, process.memoryUsage.rss());
  }, 20);
  const delay = monitorEventLoopDelay({ resolution: 5 });
  delay.enable();
  return {
    async done() {
      delay.disable();
      clearInterval(memory);
      releaseRuntimeFolder();
      await until(() => children().length === 0, `the end of ${children().join(", ")}`);
      assert.deepEqual(changes(before, fingerprint()), [], "something global has changed");
      assert.deepEqual(
        temporary().filter((name) => !folders.includes(name)),
        [],
        "folders are left behind",
      );
      const open = process.getActiveResourcesInfo().filter((name) => /Pipe|TCP|Worker|Process|MessagePort/.test(name));
      assert.ok(open.length <= 3, `open: ${open.join()}`);
      const figures = { stallMs: Math.round(delay.max / 1e6), grownMb: Math.round((most - rss) / MIB) };
      assert.ok(figures.stallMs < STALL_MS, `the platform's loop stood still for ${figures.stallMs} ms`);
      assert.ok(figures.grownMb < GROWTH_MB, `the platform's process grew by ${figures.grownMb} MiB`);
      return figures;
    },
  };
}

/** This process's folders among the temporary ones. */
function temporary(): readonly string[] {
  return readdirSync(tmpdir()).filter((name) => name.startsWith(`bulkhead-runtime-${process.pid}-`));
}

/** Processes whose parent this one is, by name and id; and those behind a wall of its own, whatever their parent is by now. */
export function children(): readonly string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const [, name, parent] = /^\d+ \((.*)\) \S (\d+)/s.exec(readFileSync(`/proc/${pid}/stat`, "latin1")) ?? [];
        const walled = readFileSync(`/proc/${pid}/cmdline`, "latin1").includes(`/bulkhead-runtime-${process.pid}-`);
        return walled || Number(parent) === process.pid ? [`${name} (${pid})`] : [];
      } catch {
        // It has just ended.
        return [];
      }
    });
}
