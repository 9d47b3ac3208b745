/** A platform that ends by SIGKILL when its spawner has handed it the first of a process's streams; tells the spawner's PID before. */
import { SpawnedChild } from "#dist/spawner/spawned-child.js";
import { acquireSpawner, startChild } from "#dist/spawner/spawner.js";
import { spawnerOf } from "./spawner-of.js";

const [, , marker = ""] = process.argv;
await acquireSpawner(() => {}).settled;
await new Promise((resolve) => process.send?.(spawnerOf(process.pid), resolve));
SpawnedChild.prototype.stream = () => process.kill(process.pid, "SIGKILL");
const never = (): void => {};
startChild(
  {
    command: "/bin/sh",
    args: ["-c", ': >"$1"', "sh", marker],
    cwd: "/",
    env: {},
    streams: ["pipe", "pipe", "pipe", "pipe"],
  },
  { started: never, failed: never, exited: never, closed: never },
);
