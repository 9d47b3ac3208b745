/** The supported versions of the CNI specification. Imports nothing, since the executable answers VERSION with it. */

/** The oldest first. */
export const CNI_VERSIONS = ["0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"] as const;
export type CniVersion = (typeof CNI_VERSIONS)[number];

/** Version of an error or reply if the request does not name a supported one. */
export const CNI_LATEST: CniVersion = "1.1.0";

/** Error codes of the specification; from 100 on, a plugin's own. */
export const CNI_ERRORS = {
  version: 1,
  unsupportedField: 2,
  containerUnknown: 3,
  environment: 4,
  io: 5,
  decode: 6,
  config: 7,
  tryAgain: 11,
  notAvailable: 50,
  /** A driver or the daemon refused or failed: `details` has Bulkhead's own code. */
  refused: 100,
} as const;
export type CniErrorCode = (typeof CNI_ERRORS)[keyof typeof CNI_ERRORS];

/** The body of an error. */
export interface CniError {
  readonly cniVersion: string;
  readonly code: number;
  readonly msg: string;
  readonly details?: string;
}
