/** One process behind the wall, as the doctor sees it: started by the wall's own command, read over descriptor 3, killed. */
import type { ChildProcess } from "node:child_process";
import type { Socket } from "node:net";
import type { Readable } from "node:stream";
import { WALLS } from "../isolation/limits.js";
import { killPid, readChildPid } from "../isolation/walls/child-pid.js";
import { startBehind } from "../isolation/walls/start.js";
import type { WallCommand } from "../isolation/walls/wall.js";
import { DOCTOR } from "./limits.js";

export class TrialProcess {
  /** What it printed on descriptors 1 and 2. */
  printed: Buffer = Buffer.alloc(0);
  stderr = "";
  /** Resolves with how it ended, once its streams have been read. */
  readonly ended: Promise<string>;
  /** Descriptor 3. */
  readonly link: Socket;
  readonly #child: ChildProcess;
  #pid: number | undefined;
  readonly #told: Promise<void>;

  constructor(command: WallCommand) {
    const child = startBehind(command, { stdout: "pipe", link: true });
    this.#child = child;
    this.link = child.stdio[3] as Socket;
    const status = child.stdio[4] as Readable | null | undefined;
    for (const stream of [child.stdout, child.stderr, this.link, status]) stream?.on("error", () => {});
    child.stdout?.on("data", (part: Buffer) => {
      if (this.printed.length < DOCTOR.answerChars) this.printed = Buffer.concat([this.printed, part]);
    });
    child.stderr?.setEncoding("utf8").on("data", (part: string) => {
      this.stderr = (this.stderr + part).slice(0, WALLS.stderrBytes);
    });
    if (!command.tellsPid) this.#pid = child.pid;
    this.#told = new Promise((resolve) => {
      if (!status) {
        resolve();
        return;
      }
      readChildPid(status, (pid) => {
        this.#pid = pid;
        resolve();
      });
      status.once("close", resolve);
    });
    this.ended = new Promise((resolve) => {
      child.once("error", (error) => resolve(error.message));
      // Does not wait for descendants that hold its link open.
      child.once("exit", (code, signal) => setTimeout(() => resolve(signal ?? `exit ${code}`), 50));
      child.once("close", (code, signal) => resolve(signal ?? `exit ${code}`));
    });
  }

  /** Kills the outermost process: the wall's own command. */
  killOutermost(): void {
    this.#child.kill("SIGKILL");
  }

  /** Resolves with the PID behind the wall, as the platform sees it; undefined if it was not reported. */
  async pid(): Promise<number | undefined> {
    await this.#told;
    return this.#pid;
  }

  /** Yields what it writes on its link, line by line; stops at the longest valid reply. */
  async *lines(): AsyncGenerator<string> {
    let text = "";
    let chars = 0;
    this.link.setEncoding("utf8");
    try {
      for await (const part of this.link as AsyncIterable<string>) {
        chars += part.length;
        if (chars > DOCTOR.answerChars) return;
        text += part;
        for (let end = text.indexOf("\n"); end >= 0; end = text.indexOf("\n")) {
          yield text.slice(0, end);
          text = text.slice(end + 1);
        }
      }
    } catch {
      // It has not started, or has ended without reading its request.
    }
  }

  /** Returns the last line it printed on stderr, for a message. */
  lastLine(): string {
    return this.stderr.trim().split("\n").at(-1)?.trim() ?? "";
  }

  /** Kills it and the process behind the wall. Resolves when it has ended. Idempotent. */
  async stop(): Promise<void> {
    this.#child.kill("SIGKILL");
    if (this.#pid !== undefined && this.#pid !== this.#child.pid) killPid(this.#pid);
    await this.ended;
    for (const stream of this.#child.stdio) stream?.destroy();
  }
}
