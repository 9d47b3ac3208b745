/** Serves executables through a control socket: answers requests, carries out missed ones, and cleans up after containers that are gone. */
import type { Logger } from "../common/logger.js";
import { Mutex } from "../common/mutex.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { OperatorHost } from "../host/operator-host.js";
import type { Platform } from "./attachment.js";
import { Attachments } from "./attachments.js";
import type { ExecutableReply, ExecutableRequest, OpenPlatform, PlatformService } from "./executable.js";
import { ATTACHMENTS } from "./limits.js";
import { checkLeft, MissedRequests, missedFolder } from "./missed-requests.js";

export interface AttachmentServiceOptions {
  readonly host: OperatorHost;
  readonly logger: Logger;
  /** The control socket. */
  readonly socket: string;
  /** Loads each platform's part. */
  readonly platforms: Readonly<Record<Platform, () => Promise<OpenPlatform>>>;
  /** Checks a request. Throws an error that says what is wrong with it. */
  parse(value: unknown): ExecutableRequest;
}

export class AttachmentService {
  readonly attachments: Attachments;
  readonly #options: AttachmentServiceOptions;
  readonly #missed: MissedRequests;
  readonly #taking = new Mutex();
  readonly #parts = new Map<Platform, Promise<PlatformService>>();
  #collecting: NodeJS.Timeout | undefined;
  #settling: Promise<void> | undefined;
  #requests = 0;

  private constructor(options: AttachmentServiceOptions, attachments: Attachments) {
    this.#options = options;
    this.attachments = attachments;
    this.#missed = new MissedRequests(missedFolder(options.socket), options.logger);
  }

  /** Reads what an earlier run left. Rejects with `ERR_JOURNAL_CORRUPT`. */
  static async open(options: AttachmentServiceOptions): Promise<AttachmentService> {
    return new AttachmentService(options, await Attachments.open(options.host, options.logger));
  }

  /**
   * Resumes what an earlier run served, then starts to carry out missed requests and to clean up, now and at intervals. Called when the
   * socket is in place. Never rejects.
   */
  async begin(): Promise<void> {
    this.#missed.prepare();
    await this.#logged(() => this.#resume());
    const settle = (): void => void this.settle();
    this.#collecting = setInterval(settle, ATTACHMENTS.collectMs).unref();
    settle();
  }

  /** Answers an executable, after all missed requests are carried out. Rejects with `ERR_CONTROL_BUSY`. */
  async answer(platform: Platform, request: ExecutableRequest): Promise<ExecutableReply> {
    if (this.#requests >= ATTACHMENTS.requests)
      throw new DriverError("ERR_CONTROL_BUSY", `${this.#requests} requests of executables are under way already`);
    this.#requests++;
    try {
      await this.#takeMissed();
      return await this.#carryOut(platform, request);
    } finally {
      this.#requests--;
    }
  }

  /** Carries out missed requests and removes what is left of containers that are gone. One run at a time. Never rejects. */
  settle(): Promise<void> {
    this.#settling ??= this.#logged(() => this.#settle()).finally(() => {
      this.#settling = undefined;
    });
    return this.#settling;
  }

  async #resume(): Promise<void> {
    for (const platform of new Set(this.attachments.list().map((row) => row.platform)))
      await (await this.#part(platform)).resume?.();
  }

  async #settle(): Promise<void> {
    await this.#takeMissed();
    await this.attachments.collect();
    for (const { platform } of this.attachments.list()) await this.#part(platform);
    for (const part of this.#parts.values()) await (await part).settled?.();
  }

  async #logged(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      this.#options.logger.error({ err: error }, `attachments: ${messageOf(error)}`);
    }
  }

  async close(): Promise<void> {
    clearInterval(this.#collecting);
    for (const part of this.#parts.values()) await (await part).close?.();
  }

  /** Returns a platform's part, which is opened when it is first used. */
  #part(platform: Platform): Promise<PlatformService> {
    const { platforms, host, logger } = this.#options;
    const known = this.#parts.get(platform);
    if (known) return known;
    const part = platforms[platform]().then((open) => open(this.attachments, host, logger));
    this.#parts.set(platform, part);
    return part;
  }

  #takeMissed(): Promise<void> {
    return this.#taking.run(() =>
      this.#missed.take(async (platform, text) => {
        const request = this.#options.parse(JSON.parse(text));
        checkLeft(platform, request);
        const reply = await this.#carryOut(platform, request);
        if (reply.exit !== 0)
          this.#options.logger.warn(
            { platform, output: reply.output },
            "attachments: a request that was missed failed",
          );
      }),
    );
  }

  async #carryOut(platform: Platform, request: ExecutableRequest): Promise<ExecutableReply> {
    return (await this.#part(platform)).answer(request);
  }
}
