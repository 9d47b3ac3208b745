/** A plugin's code with its source map, so that a debugger shows the author's own files. */

/** Returns the code with its map in a comment. `root`: URL of the folder that the map's sources are relative to, with a slash at its end. */
export function inspectable(code: string, sourceMap: string, root: string): string {
  const map = JSON.parse(sourceMap) as { readonly sources: readonly string[]; readonly mappings: string };
  const sources = map.sources.map((source) => new URL(source, root).href);
  // The worker evaluates the code from the second line of a script on.
  const shifted = JSON.stringify({ ...map, sourceRoot: "", sources, mappings: `;${map.mappings}` });
  const text = Buffer.from(shifted).toString("base64");
  return `${code}\n//# sourceMappingURL=data:application/json;base64,${text}\n`;
}
