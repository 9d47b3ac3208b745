/** The runtime's version: both sides of a link must be of the same. A test holds it against package.json. */
export const RUNTIME_VERSION = "0.1.0";
