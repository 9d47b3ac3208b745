/** Two files of bounded size: when the newer one is full, it takes the place of the older. */
import { constants } from "node:fs";
import { type FileHandle, open, rename, statfs } from "node:fs/promises";
import { dirname } from "node:path";
import { giveToOwner } from "../../storage/folder-owner.js";

/** Opens the file to append, without following a link or blocking on a named pipe. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class RingFile {
  readonly #path: string;
  readonly #most: number;
  readonly #free: number;
  #handle: FileHandle | undefined;
  #bytes = 0;

  /**
   * `most`: bytes of one file; a single longer text still goes into one. `free`: bytes that its file system must have free before each
   * write.
   */
  constructor(path: string, most: number, free: number) {
    this.#path = path;
    this.#most = most;
    this.#free = free;
  }

  /** Appends a text. One call at a time. Rejects if it could not be written. */
  async append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    const { bavail, bsize } = await statfs(dirname(this.#path));
    if (bavail * bsize < this.#free)
      throw new Error(`less than ${this.#free} bytes are free in ${dirname(this.#path)}`);
    let handle = this.#handle ?? (await this.#open());
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#most) {
      await this.close();
      await rename(this.#path, `${this.#path}.1`);
      handle = await this.#open();
    }
    await handle.appendFile(bytes);
    this.#bytes += bytes.length;
  }

  /** Closes the file. Can be repeated; a later `append` opens it again. */
  async close(): Promise<void> {
    const handle = this.#handle;
    this.#handle = undefined;
    await handle?.close();
  }

  async #open(): Promise<FileHandle> {
    const handle = await open(this.#path, FLAGS, 0o600);
    const found = await handle.stat();
    if (!found.isFile()) {
      await handle.close();
      throw new Error(`${this.#path} is not a regular file`);
    }
    if (found.size === 0) giveToOwner(handle.fd, dirname(this.#path));
    this.#handle = handle;
    this.#bytes = found.size;
    return handle;
  }
}
