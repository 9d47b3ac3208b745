/** The executable that Podman and netavark start: answers `info`, and passes the other verbs to the daemon. */
import type { ExecutableReply, ExecutableRequest } from "../attachments/executable.js";
import { ask, end, type Installed, input, leave, NoAnswer } from "../executables/ask.js";

/** Written at the head of the file by `bulkhead podman install`. */
declare const BULKHEAD: Installed;

const args = process.argv.slice(2);
const [verb = ""] = args;

// The versions of this plugin and of netavark's protocol.
if (verb === "info") end({ exit: 0, output: '{"version":"0.1.0","api_version":"1.0.0"}' });
else void answer().then(end);

async function answer(): Promise<ExecutableReply> {
  const request: ExecutableRequest = { driver: BULKHEAD.driver, args, env: {}, input: input() };
  try {
    return await ask(BULKHEAD.socket, "podman", request);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    if (isRootless())
      return failure(
        "rootless Podman cannot use it: a driver's links are root's; run podman as root, or use a network of driver bridge",
      );
    // Podman never asks again, and removes the container's namespace whatever the answer is.
    if (verb !== "teardown") return failure(error.message);
    try {
      leave(BULKHEAD.socket, "podman", request);
      return { exit: 0, output: "{}" };
    } catch (why) {
      return failure(`${error.message}; and the request could not be kept for it: ${why}`);
    }
  }
}

/** True for any account but root, and in a user namespace whose root is not the machine's. */
function isRootless(): boolean {
  if (process.getuid?.() !== 0) return true;
  try {
    const map = process.getBuiltinModule("node:fs").readFileSync("/proc/self/uid_map", "utf8");
    return !/^\s*0\s+0\s/.test(map);
  } catch {
    return false;
  }
}

/** Returns an error with an exit code: netavark treats an error object without one as success. */
function failure(why: string): ExecutableReply {
  return { exit: 1, output: JSON.stringify({ error: `bulkhead: network driver "${BULKHEAD.driver}": ${why}` }) };
}
