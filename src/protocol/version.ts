/** The runtime's version, which both sides of a link must share. A test compares it with package.json. */
export const RUNTIME_VERSION = "0.1.0";
