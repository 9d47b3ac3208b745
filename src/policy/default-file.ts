/** The policy's file where none is named. */
export const DEFAULT_POLICY_FILE = "bulkhead.config.json";
