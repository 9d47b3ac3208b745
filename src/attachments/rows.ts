/** All attachments by id, in memory and in the data folder. */
import { DriverError } from "../driverapi/errors.js";
import type { KeptRows } from "../storage/kept-rows.js";
import { type Attachment, type AttachmentKey, attachmentId, attachmentSchema } from "./attachment.js";

/** Prefix of their keys in the data folder. */
export const ATTACHMENT_ROWS = "attachment/";

export class AttachmentRows {
  readonly #kept: KeptRows;
  readonly #rows: Map<string, Attachment>;

  private constructor(kept: KeptRows, rows: Map<string, Attachment>) {
    this.#kept = kept;
    this.#rows = rows;
  }

  /** Rejects with `ERR_JOURNAL_CORRUPT`. */
  static async open(kept: KeptRows): Promise<AttachmentRows> {
    const rows = new Map<string, Attachment>();
    for (const [key, value] of await kept.load()) {
      const read = attachmentSchema.safeParse(value);
      if (!read.success)
        throw new DriverError(
          "ERR_JOURNAL_CORRUPT",
          `the data folder's row ${ATTACHMENT_ROWS}${key} is not an attachment`,
        );
      rows.set(key, read.data);
    }
    return new AttachmentRows(kept, rows);
  }

  get(key: AttachmentKey): Attachment | undefined {
    return this.#rows.get(attachmentId(key));
  }

  all(): readonly Attachment[] {
    return [...this.#rows.values()];
  }

  /** Throws `ERR_JOURNAL_FAILED` without a change. */
  put(row: Attachment): void {
    const id = attachmentId(row);
    this.#kept.write(id, row);
    this.#rows.set(id, row);
  }

  drop(row: Attachment): void {
    const id = attachmentId(row);
    this.#kept.write(id, undefined);
    this.#rows.delete(id);
  }
}
