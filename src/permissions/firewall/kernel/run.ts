/**
 * The perimeter: the only file of `firewall` that runs programs, without a shell. nft opens its standard input by name, which fails for
 * the socket that Node would pass, so it gets a deleted file.
 */

import { spawn } from "node:child_process";
import { type FileHandle, mkdtemp, open, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { messageOf } from "../../../common/text.js";
import { ENV, type IpOutcome } from "../../netlink/kernel/ip-outcome.js";
import { NETLINK } from "../../netlink/limits.js";

/** Runs a program with a text as its standard input. `started`: called with its PID. Never rejects. */
export async function execute(
  command: readonly string[],
  input: string,
  started: (pid: number) => void = () => {},
): Promise<IpOutcome> {
  let file: FileHandle | undefined;
  try {
    file = await nameless(input);
    return await run(command, file.fd, started);
  } catch (error) {
    return { stdout: "", stderr: messageOf(error), code: null };
  } finally {
    await file?.close();
  }
}

/** Returns an open file with a text that no other process can open. */
async function nameless(text: string): Promise<FileHandle> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-"));
  try {
    const path = join(folder, "input");
    await writeFile(path, text, { flag: "wx", mode: 0o600 });
    return await open(path, "r");
  } finally {
    await rm(folder, { recursive: true });
  }
}

function run(
  [program = "", ...args]: readonly string[],
  stdin: number,
  started: (pid: number) => void,
): Promise<IpOutcome> {
  return new Promise((resolve) => {
    const child = spawn(program, args, {
      env: ENV,
      stdio: [stdin, "pipe", "pipe"],
      timeout: NETLINK.runMs,
      killSignal: "SIGKILL",
    });
    if (child.pid !== undefined) started(child.pid);
    const printed = { stdout: "", stderr: "" };
    const take = (stream: "stdout" | "stderr") => (piece: string) => {
      printed[stream] += piece;
      if (printed[stream].length > NETLINK.outputBytes) child.kill("SIGKILL");
    };
    child.stdout?.setEncoding("utf8").on("data", take("stdout"));
    child.stderr?.setEncoding("utf8").on("data", take("stderr"));
    child.on("error", (error) => resolve({ ...printed, stderr: `${program}: ${error.message}`, code: null }));
    child.on("close", (code, signal) => {
      const why = `${program}: it was ended by ${signal} (after ${NETLINK.runMs} ms, or ${NETLINK.outputBytes} bytes)`;
      resolve(signal === null ? { ...printed, code } : { ...printed, stderr: why, code: null });
    });
  });
}
