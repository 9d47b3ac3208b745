/** What bundler and worker agree on about a bundle. */

/** The name under which a bundle defines the plugin's exports. */
export const PLUGIN_GLOBAL = "__plugin__";

/** esbuild's namespace for the runtime's own files, which no path of a plugin can name. */
export const RUNTIME_NAMESPACE = "bulkhead";

/** esbuild's namespace for the copies of Node's modules. */
export const NODE_NAMESPACE = "node-module";

/** Returns true for a source of the bundle's map that is Bulkhead's and not the plugin author's. */
export function isRuntimeSource(source: string): boolean {
  return source.startsWith(`${RUNTIME_NAMESPACE}:`) || source.startsWith(`${NODE_NAMESPACE}:`);
}
