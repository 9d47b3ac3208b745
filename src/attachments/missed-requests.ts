/**
 * Requests that found no daemon: an executable that must not fail leaves its request as a file, and the daemon carries it out when it is
 * back. The folder is beside the control socket, and used only if nobody else can write to it. Touches `fs`.
 */
import { mkdirSync } from "node:fs";
import { lstat, readdir, rm, rmdir } from "node:fs/promises";
import { join } from "node:path";
import { writableByOthers } from "../common/folder-owner.js";
import type { Logger } from "../common/logger.js";
import { messageOf } from "../common/text.js";
import { readRegularFile } from "../policy/manifest/read-file.js";
import { PLATFORMS, type Platform } from "./attachment.js";
import type { ExecutableRequest } from "./executable.js";
import { ATTACHMENTS } from "./limits.js";

/** `TIME-PID.PLATFORM.json`: in the order of the names, requests are in the order in which they were made. */
const NAME = /^\d{1,20}-\d{1,20}\.([a-z]+)\.json$/;

/** Returns the folder of a control socket. */
export function missedFolder(socket: string): string {
  return `${socket}.missed`;
}

/** What executables leave: requests that undo. Others are refused when the daemon is down, and never left. */
const LEFT: Readonly<Record<Platform, (request: ExecutableRequest) => boolean>> = {
  cni: ({ env }) => env.CNI_COMMAND === "DEL",
  podman: ({ args }) => args[0] === "teardown",
};

/** Throws for a request that no executable leaves. */
export function checkLeft(platform: Platform, request: ExecutableRequest): void {
  if (!LEFT[platform](request)) throw new Error(`an executable of ${platform} does not leave such a request`);
}

export class MissedRequests {
  readonly #folder: string;
  readonly #logger: Logger;
  /** Files that could not be removed; their requests are not carried out again. */
  readonly #stuck = new Set<string>();
  /** Why the folder is not used, as it was logged last. */
  #logged: string | undefined;

  constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  /** Creates the folder, so that executables can write to it. A failure is logged. */
  prepare(): void {
    try {
      mkdirSync(this.#folder, { mode: 0o700, recursive: true });
    } catch (error) {
      this.#logger.warn({ err: error }, `attachments: ${this.#folder} cannot be made: ${messageOf(error)}`);
    }
  }

  /** Gives each request to `carryOut`, the earliest first, and removes its file. What cannot be read is logged and removed. */
  async take(carryOut: (platform: Platform, text: string) => Promise<void>): Promise<void> {
    if (!(await this.#isSafe())) return;
    const names = await readdir(this.#folder).catch(() => []);
    for (const name of names
      .filter((one) => NAME.test(one) && !this.#stuck.has(one))
      .sort()
      .slice(0, ATTACHMENTS.missed)) {
      const path = join(this.#folder, name);
      try {
        const platform = PLATFORMS.find((one) => one === NAME.exec(name)?.[1]);
        const read = await readRegularFile(path, { maxBytes: ATTACHMENTS.missedBytes, followLink: false });
        if (read.kind === "absent") continue;
        if (platform === undefined) throw new Error("it is of no known platform");
        if (read.kind === "refused") throw new Error(read.why);
        await carryOut(platform, read.text);
      } catch (error) {
        this.#logger.error({ err: error }, `attachments: ${path} is not a request: ${messageOf(error)}; it is removed`);
      }
      await this.#remove(name, path);
    }
  }

  /** Returns false for a folder that is missing, or to which others may write; the latter is logged once. */
  async #isSafe(): Promise<boolean> {
    const found = await lstat(this.#folder).catch(() => undefined);
    const why = found && writableByOthers(found, process.geteuid?.());
    if (why !== undefined && why !== this.#logged)
      this.#logger.error(
        {},
        `attachments: ${this.#folder} is not used, and requests that find no daemon are lost: ${why}; remove it, and start the daemon again`,
      );
    this.#logged = why;
    return found !== undefined && why === undefined;
  }

  async #remove(name: string, path: string): Promise<void> {
    try {
      await rm(path, { force: true }).catch(() => rmdir(path));
    } catch (error) {
      this.#stuck.add(name);
      this.#logger.error(
        { err: error },
        `attachments: ${path} cannot be removed: ${messageOf(error)}; it is left alone`,
      );
    }
  }
}
