/** The source of the policy in force. An edit that makes the policy invalid never replaces a valid one. */

import type { Logger } from "../common/logger.js";
import { Mutex } from "../common/mutex.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import { parsePolicy } from "./parse-policy.js";
import { readPolicyFile } from "./policy-file.js";
import type { Policy } from "./schema.js";

export class PolicySource {
  readonly file: string | undefined;
  #policy: Policy;
  #problem: DriverError | undefined;
  readonly #reading = new Mutex();

  private constructor(file: string | undefined, policy: Policy) {
    this.file = file;
    this.#policy = policy;
  }

  /** Reads the first policy. Throws `ERR_POLICY_INVALID`; it never falls back to a laxer policy. */
  static async open(given: string | Policy | undefined): Promise<PolicySource> {
    if (typeof given === "string") return new PolicySource(given, (await readPolicyFile(given)).policy);
    return new PolicySource(undefined, given === undefined ? {} : parsePolicy(given));
  }

  get current(): Policy {
    return this.#policy;
  }

  /** Returns why the file could not be read at the last refresh: an earlier policy is in force. */
  get problem(): DriverError | undefined {
    return this.#problem;
  }

  /**
   * Reads the file again. Returns why it could not be read: then the policy in force stays, and the log says why. One reading at a time:
   * an earlier one must not put an older policy in the place of a later one's.
   */
  refresh(logger: Logger): Promise<DriverError | undefined> {
    return this.#reading.run(() => this.#read(logger));
  }

  async #read(logger: Logger): Promise<DriverError | undefined> {
    if (this.file === undefined) return undefined;
    try {
      this.#policy = (await readPolicyFile(this.file)).policy;
      this.#problem = undefined;
      return undefined;
    } catch (error) {
      const problem =
        error instanceof DriverError
          ? error
          : new DriverError("ERR_POLICY_INVALID", messageOf(error), { file: this.file });
      this.#problem = problem;
      logger.error(
        { code: problem.code, file: this.file },
        `the policy could not be reloaded, so the previous one stays in force: ${problem.message}`,
      );
      return problem;
    }
  }
}
