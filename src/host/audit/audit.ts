/** The audit log, `DATADIR/audit.jsonl`: one line of JSON per event that an operator may have to account for. */

import { join } from "node:path";
import type { Logger } from "../../common/logger.js";
import { within } from "../../common/within.js";
import { HOST } from "../limits.js";
import { AuditFile } from "./audit-file.js";
import { type AuditEntry, auditLine } from "./entry.js";
import { AUDIT } from "./limits.js";
import { LineQuota } from "./line-quota.js";

/** Takes a host's entries. No method throws, rejects, or waits for a disk. */
export interface Audit {
  /** Returns false if the entry was dropped because its plugin's quota is used up. */
  write(entry: AuditEntry): boolean;
  /** Writes the outcome of what an entry has announced. It counts against no quota, so that what has a beginning has an end. */
  writeOutcome(entry: AuditEntry): void;
  /** Resolves when the lines so far are in the file or have failed, or when the disk has taken too long (`AUDIT.writtenMs`). */
  written(): Promise<void>;
  /** Resolves when all lines are in the file or have failed. Later lines are dropped. */
  close(): Promise<void>;
}

/** Limits of an {@link AuditLog}, for tests; the defaults are in `AUDIT`. */
export type AuditLimits = Partial<
  Pick<Record<keyof typeof AUDIT, number>, "fileBytes" | "files" | "lines" | "window" | "queue">
>;

/** Opens a host's audit log; without a data folder nothing is written. */
export function openAudit(dataDir: string | undefined, logger: Logger): Audit {
  return dataDir === undefined ? NO_AUDIT : new AuditLog(join(dataDir, "audit.jsonl"), logger);
}

const NO_AUDIT: Audit = { write: () => true, writeOutcome() {}, async written() {}, async close() {} };

/** Opened with the first line. Lines of one turn of the event loop are written together. */
export class AuditLog implements Audit {
  readonly #path: string;
  readonly #logger: Logger;
  readonly #file: AuditFile;
  readonly #quota: LineQuota;
  readonly #most: number;
  #waiting: string[] = [];
  #flushing: Promise<void> | undefined;
  #lost = 0;
  #why = "";
  readonly #reported = new Set<string>();
  #closed = false;

  constructor(path: string, logger: Logger, limits: AuditLimits = {}) {
    const { fileBytes, files, lines, window, queue } = { ...AUDIT, ...limits };
    this.#path = path;
    this.#logger = logger;
    this.#most = queue;
    this.#file = new AuditFile({ path, bytes: fileBytes, keep: files });
    this.#quota = new LineQuota({
      lines,
      window,
      dropped: (plugin, what) => {
        const detail = `dropped: ${what}; the quota is ${lines} lines of a kind per plugin in ${window / 1000} s`;
        this.#add({ event: "dropped", plugin, detail });
      },
    });
  }

  write(entry: AuditEntry): boolean {
    if (this.#closed) return true;
    const counted = this.#quota.spend(entry.plugin, entry.event);
    if (counted) this.#add(entry);
    return counted;
  }

  writeOutcome(entry: AuditEntry): void {
    if (!this.#closed) this.#add(entry);
  }

  async written(): Promise<void> {
    await within(AUDIT.writtenMs, this.#flushing ?? Promise.resolve());
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#quota.close();
    this.#closed = true;
    // A disk that hangs does not delay the close for longer.
    await within(
      HOST.closeMs,
      (this.#flushing ?? Promise.resolve()).then(() => this.#file.close()),
    );
  }

  #add(entry: AuditEntry): void {
    if (this.#waiting.length >= this.#most) {
      this.#lost++;
      this.#why = `more than ${this.#most} lines waited for the disk`;
      return;
    }
    this.#waiting.push(auditLine(entry, new Date()));
    this.#flushing ??= new Promise<void>((resolve) => setImmediate(resolve)).then(() => this.#flush());
  }

  async #flush(): Promise<void> {
    while (this.#waiting.length > 0) {
      const lost = this.#lost;
      const detail = `${lost} lines were lost: ${this.#why}`;
      const head = lost > 0 ? [auditLine({ event: "lost", detail }, new Date())] : [];
      const lines = [...head, ...this.#waiting];
      this.#waiting = [];
      const { written, error } = await this.#file.append(lines);
      if (written > 0) this.#lost -= lost;
      if (written < lines.length) this.#failed(error, lines.length - Math.max(written, head.length));
    }
    this.#flushing = undefined;
  }

  /** Logs a failure once for each reason: a full disk stays full for a while. */
  #failed(error: unknown, lost: number): void {
    this.#lost += lost;
    const { code, message } = error instanceof Error ? (error as NodeJS.ErrnoException) : { message: String(error) };
    this.#why = code ?? String(message);
    if (this.#reported.has(this.#why)) return;
    this.#reported.add(this.#why);
    this.#logger.error(
      { file: this.#path, err: error },
      `the audit log ${this.#path} cannot be written: ${message}; its lines are lost until it can be`,
    );
  }
}
