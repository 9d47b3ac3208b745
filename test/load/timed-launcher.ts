/** A launcher that notes when a worker was asked of it: a load from there on is a load without its bundling. */
import { HostProcesses } from "#dist/isolation/host-processes.js";
import type { Launcher } from "#dist/isolation/link.js";
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { raiseWall } from "#dist/isolation/walls/raise.js";

export interface TimedLauncher extends Launcher {
  /** `performance.now()` of the last request. */
  readonly asked: number;
}

export function timedLauncher(isolation: "thread" | "process"): TimedLauncher {
  const inner = isolation === "thread" ? new ThreadLauncher() : processes();
  let asked = Number.NaN;
  return {
    get asked() {
      return asked;
    },
    launch(request) {
      asked = performance.now();
      return inner.launch(request);
    },
    warm: (memoryMb) => inner.warm?.(memoryMb),
    live: () => inner.live(),
    close: () => inner.close(),
  };
}

function processes(): Launcher {
  const all = new HostProcesses({
    demanded: () => "auto",
    wall: (demanded) => raiseWall(demanded, undefined),
    aborted: () => {},
  });
  return all.launcher("process");
}
