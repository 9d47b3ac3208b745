/**
 * Keeps the last calls and requests on disk: each one adds a reference to a bounded list, which is written every `RECORDER.flushMs`.
 * If the list is full, or the disk fails, hangs or is nearly full, only entries are lost.
 */
import { join } from "node:path";
import { monotonicNow } from "../../common/clock.js";
import type { Logger } from "../../common/logger.js";
import { messageOf } from "../../common/text.js";
import { within } from "../../common/within.js";
import type { Json } from "../../driverapi/json.js";
import type { CallRecorder, SeenCall } from "../calls/call-context.js";
import type { Entry } from "./entry.js";
import { RECORDER } from "./limits.js";
import { previewOf } from "./preview.js";
import { RingFile } from "./ring-file.js";

/** The file in the data folder; the one before it has `.1` at its end. */
export const RECORDING = "recording.jsonl";

/** How it ended: an error's code and message. */
interface Outcome {
  readonly ms: number;
  readonly code: string | undefined;
  readonly message: string | undefined;
}

type Waiting =
  | { readonly call: SeenCall; readonly outcome: Outcome }
  | {
      readonly plugin: string;
      readonly name: string;
      /** The beginning of their JSON text. */
      readonly args: string;
      readonly began: number;
      readonly outcome: Outcome;
    }
  | { readonly entry: Entry };

export class FlightRecorder implements CallRecorder {
  readonly #file: RingFile;
  readonly #logger: Logger;
  readonly #origin = Date.now() - monotonicNow();
  #waiting: Waiting[] = [];
  /** Entries that wait, by plugin. */
  readonly #own = new Map<string, number>();
  #failures = 0;
  #missed = 0;
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> | undefined;
  #reported = false;
  #closed = false;

  constructor(dataDir: string, logger: Logger) {
    this.#file = new RingFile(join(dataDir, RECORDING), RECORDER.fileBytes, RECORDER.freeBytes);
    this.#logger = logger;
  }

  /** Records a call that was answered. */
  call(call: SeenCall, code?: string, message?: string): void {
    if (this.#hasRoom(call.plugin, code))
      this.#add({ call, outcome: { ms: monotonicNow() - call.began, code, message } });
  }

  /** Records a request that was answered; `began`: in monotonic milliseconds. */
  request(plugin: string, name: string, args: readonly Json[], began: number, code?: string, message?: string): void {
    if (this.#hasRoom(plugin, code))
      this.#add({
        plugin,
        name,
        args: previewOf(args as Json, RECORDER.shownChars),
        began,
        outcome: { ms: monotonicNow() - began, code, message },
      });
  }

  /** Records a change of a plugin's worker. */
  event(plugin: string, event: string, reason?: string): void {
    const told = reason?.slice(0, RECORDER.shownChars);
    const entry = { kind: "event", time: this.#timeOf(monotonicNow()), plugin, event, reason: told } as const;
    if (this.#hasRoom(plugin, "event")) this.#add({ entry });
  }

  /** Writes what is left. A disk that hangs does not delay it for longer than `RECORDER.closeMs`. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    await within(RECORDER.closeMs, this.#finish());
  }

  async #finish(): Promise<void> {
    await this.#writing;
    this.#flush();
    await this.#writing;
    await this.#file.close().catch(() => {});
  }

  /** Returns a monotonic time in milliseconds since 1970: entries keep their order even if the system clock is set. */
  #timeOf(at: number): number {
    return Math.round((this.#origin + at) * 1000) / 1000;
  }

  /** Counts an entry; returns false if there are too many, or too many of that plugin's. */
  #hasRoom(plugin: string, code: string | undefined): boolean {
    const used = code === undefined ? this.#waiting.length - this.#failures : this.#failures;
    const own = this.#own.get(plugin) ?? 0;
    if (own < RECORDER.share && used < (code === undefined ? RECORDER.entries : RECORDER.failures)) {
      this.#own.set(plugin, own + 1);
      if (code !== undefined) this.#failures++;
      return true;
    }
    this.#missed++;
    return false;
  }

  #add(one: Waiting): void {
    if (this.#closed) return;
    this.#waiting.push(one);
    this.#schedule();
  }

  /** Schedules one write at a time: while the disk hangs, at most one interval's entries wait. */
  #schedule(): void {
    if (this.#writing === undefined && !this.#closed)
      this.#timer ??= setTimeout(() => this.#flush(), RECORDER.flushMs).unref();
  }

  #flush(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const waiting = this.#waiting;
    const missed = this.#missed;
    this.#waiting = [];
    this.#own.clear();
    this.#failures = 0;
    this.#missed = 0;
    if (waiting.length === 0) return;
    const lines = waiting.map((one) => lineOf(one, (at) => this.#timeOf(at)));
    if (missed > 0) lines.push(`${JSON.stringify({ kind: "gap", time: this.#timeOf(monotonicNow()), missed })}\n`);
    const text = lines.join("");
    this.#writing = this.#file
      .append(text)
      .catch((error: unknown) => this.#failed(error))
      .then(() => {
        this.#writing = undefined;
        if (this.#waiting.length > 0) this.#schedule();
      });
  }

  /** Says once that entries are lost. */
  #failed(error: unknown): void {
    if (this.#reported) return;
    this.#reported = true;
    this.#logger.warn(
      { err: error },
      `calls are not recorded: ${messageOf(error)}; recording resumes once this is fixed`,
    );
  }
}

/** Makes a line by concatenation, since the arguments of a call are JSON already. */
function lineOf(one: Waiting, timeOf: (at: number) => number): string {
  if ("entry" in one) return `${JSON.stringify(one.entry)}\n`;
  const { ms, code, message } = one.outcome;
  const end =
    code === undefined
      ? ""
      : `,"code":${quoted(code)},"message":${quoted(message?.slice(0, RECORDER.shownChars) ?? "")}`;
  if ("name" in one) {
    return `{"kind":"request","time":${timeOf(one.began)},"plugin":${quoted(one.plugin)},"name":${quoted(one.name)},"args":${quoted(one.args)},"ms":${rounded(ms)}${end}}\n`;
  }
  const { plugin, type, method, began } = one.call;
  const texts = one.call.args().join(",");
  const args = texts.length > RECORDER.argsChars ? "" : `,"args":[${texts}]`;
  return `{"kind":"call","time":${timeOf(began)},"plugin":${quoted(plugin)},"type":${quoted(type)},"method":"${method}","ms":${rounded(ms)}${end}${args}}\n`;
}

function quoted(text: string): string {
  return JSON.stringify(text);
}

function rounded(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
