/** Reads a regular expression without running the plugin's code: `flags` and `toString` read overridable properties. */

const FLAGS: ReadonlyArray<readonly [letter: string, property: string]> = [
  ["d", "hasIndices"],
  ["g", "global"],
  ["i", "ignoreCase"],
  ["m", "multiline"],
  ["s", "dotAll"],
  ["u", "unicode"],
  ["v", "unicodeSets"],
  ["y", "sticky"],
];

/** Returns source and flags of a genuine RegExp, from its internal slots. Throws a TypeError for anything else. */
export function regExpParts(value: RegExp): { readonly source: string; readonly flags: string } {
  const read = (property: string): unknown => {
    const getter = Object.getOwnPropertyDescriptor(RegExp.prototype, property)?.get;
    return getter === undefined ? undefined : Reflect.apply(getter, value, []);
  };
  return {
    source: String(read("source")),
    flags: FLAGS.filter(([, property]) => read(property) === true)
      .map(([letter]) => letter)
      .join(""),
  };
}
