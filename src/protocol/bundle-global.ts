/** The name under which a bundle defines the plugin's exports. */
export const PLUGIN_GLOBAL = "__plugin__";
