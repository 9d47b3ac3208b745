/** The audit log on disk: appended to, rotated by size, never read. Touches `fs`, on purpose. */
import { constants } from "node:fs";
import { type FileHandle, mkdir, open, rename, stat } from "node:fs/promises";
import { dirname } from "node:path";

/** Does not follow a link, and does not block forever on a named pipe. */
const FLAGS = constants.O_RDWR | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

const NEWLINE = Buffer.from("\n");

export interface AuditFileOptions {
  readonly path: string;
  /** Size at which it is rotated, in bytes. */
  readonly bytes: number;
  /** Rotated files that are kept: `PATH.1` is the newest. */
  readonly keep: number;
}

/** One log file. Not for concurrent use: one `append` at a time. */
export class AuditFile {
  readonly #options: AuditFileOptions;
  #handle: FileHandle | undefined;
  /** True if the file ends in half a line. */
  #torn = false;

  constructor(options: AuditFileOptions) {
    this.#options = options;
  }

  /**
   * Appends the lines, each with its newline. Resolves with how many were written, and the error if not all were. Never
   * rejects.
   */
  async append(lines: readonly string[]): Promise<{ readonly written: number; readonly error?: unknown }> {
    let written = 0;
    try {
      while (written < lines.length) {
        const handle = await this.#current();
        const { size } = await handle.stat();
        const some = fitting(lines.slice(written), this.#options.bytes - size, size === 0);
        if (some.length === 0) await this.#rotate();
        else await this.#write(handle, Buffer.concat(this.#torn ? [NEWLINE, ...some] : some));
        written += some.length;
      }
      return { written };
    } catch (error) {
      await this.close();
      return { written, error };
    }
  }

  /** Closes the file. Can be repeated; a later `append` opens it again. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close().catch(() => {});
  }

  async #write(handle: FileHandle, bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      this.#torn = true;
      at += (await handle.write(bytes, at)).bytesWritten;
    }
    this.#torn = false;
  }

  /** Returns the file at the path, reopened if another process or the operator has moved it away. */
  async #current(): Promise<FileHandle> {
    const { path } = this.#options;
    if (this.#handle) {
      const [ours, found] = await Promise.all([this.#handle.stat(), stat(path).catch(() => undefined)]);
      if (found?.ino === ours.ino && found.dev === ours.dev) return this.#handle;
      await this.close();
    }
    await mkdir(dirname(path), { recursive: true, mode: 0o700 });
    const handle = await open(path, FLAGS, 0o600);
    try {
      const found = await handle.stat();
      const { size } = found;
      if (!found.isFile()) throw new Error(`${path} is not a regular file`);
      // A process that died while writing leaves half a line.
      const last = Buffer.alloc(1);
      if (size > 0) await handle.read(last, 0, 1, size - 1);
      this.#torn = size > 0 && !last.equals(NEWLINE);
    } catch (error) {
      await handle.close().catch(() => {});
      throw error;
    }
    this.#handle = handle;
    return handle;
  }

  async #rotate(): Promise<void> {
    const { path, keep } = this.#options;
    await this.close();
    for (let n = keep - 1; n >= 1; n--) await rename(`${path}.${n}`, `${path}.${n + 1}`).catch(ignoreAbsent);
    await rename(path, `${path}.1`);
  }
}

/** Returns as many of the first lines as there is room for; `atLeastOne`: the file is empty, and so takes at least one. */
function fitting(lines: readonly string[], room: number, atLeastOne: boolean): readonly Buffer[] {
  const some: Buffer[] = [];
  let left = room;
  for (const line of lines) {
    const bytes = Buffer.from(line);
    if (bytes.length > left && !(atLeastOne && some.length === 0)) break;
    left -= bytes.length;
    some.push(bytes);
  }
  return some;
}

function ignoreAbsent(error: unknown): void {
  if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
}
