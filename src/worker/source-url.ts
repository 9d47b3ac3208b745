/** The name of a plugin's evaluated code in stacks. */
export const SOURCE_URL = "bulkhead-plugin";
/** Lines of that script before the bundle's first one. */
export const HEADER_LINES = 1;
