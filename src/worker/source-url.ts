/** The name of a plugin's evaluated code in stacks. */
export const SOURCE_URL = "bulkhead-plugin";
