/** Two files of bounded size: when the newer one is full, it takes the place of the older. */
import { constants } from "node:fs";
import { type FileHandle, open, rename } from "node:fs/promises";

/** Does not follow a link, and does not block forever on a named pipe. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | constants.O_NOFOLLOW | constants.O_NONBLOCK;

export class RingFile {
  readonly #path: string;
  readonly #most: number;
  #handle: FileHandle | undefined;
  #bytes = 0;

  /** `most`: bytes of one file; a single longer text still goes into one. */
  constructor(path: string, most: number) {
    this.#path = path;
    this.#most = most;
  }

  /** Appends a text. One call at a time. Rejects if it could not be written. */
  async append(text: string): Promise<void> {
    const bytes = Buffer.from(text);
    let handle = this.#handle ?? (await this.#open());
    if (this.#bytes > 0 && this.#bytes + bytes.length > this.#most) {
      await this.close();
      await rename(this.#path, `${this.#path}.1`);
      handle = await this.#open();
    }
    await handle.appendFile(bytes);
    this.#bytes += bytes.length;
  }

  /** Can be repeated; a later `append` opens the file again. */
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
    this.#handle = handle;
    this.#bytes = found.size;
    return handle;
  }
}
