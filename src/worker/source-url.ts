/** The name under which a plugin's evaluated code stands in stacks. */
export const SOURCE_URL = "bulkhead-plugin";
