/**
 * What an author's own tests import as `bulkhead/testing`: the contract as a suite of named rules, and an in-memory host.
 * Framework-agnostic: a rule is a name and a promise.
 */
import "./host/own-files.js";

export { EndpointConfig } from "./driverapi/endpoint-config.js";
export { DriverError } from "./driverapi/errors.js";
export { JoinConfig } from "./driverapi/join-config.js";
export { type ContractOptions, driverContract } from "./testing/contract.js";
export {
  type ReplayError,
  type Replayed,
  type ReplayedCall,
  type ReplayOptions,
  replayRecording,
} from "./testing/replay-recording.js";
export type { ContractRule, RuleGroup } from "./testing/rule.js";
export { createTestHost, type TestHost, type TestHostOptions, type TestLink } from "./testing/test-host.js";
export type { TrialOptions } from "./testing/trial.js";
