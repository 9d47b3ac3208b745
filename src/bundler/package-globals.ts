/**
 * Gives packages written for Node the globals `Buffer` and `process`, as bundlers for browsers do. A file that tests for them with
 * `typeof` does not get them, and an author's own files import them.
 */
import { type Node, parse } from "acorn";
import { NODE_NAMESPACE } from "../protocol/bundle-global.js";
import { undeclaredReads } from "./undeclared.js";

/** The code for each at the top of a file; its module name cannot be mapped by a package.json's `browser`. */
const GLOBALS: ReadonlyArray<readonly [name: string, code: string]> = [
  ["Buffer", `var Buffer=require("${NODE_NAMESPACE}:buffer").Buffer;`],
  ["process", `var process=require("${NODE_NAMESPACE}:process");`],
];

/** Returns the code to put before that of a JavaScript file, on its first line; empty for most. */
export function packageGlobals(text: string): string {
  // esbuild replaces this expression.
  const rest = text.replaceAll("process.env.NODE_ENV", "'production'");
  const named = GLOBALS.filter(([name]) => new RegExp(`(?<![.\\w$])${name}\\b`).test(rest) && !isLookedFor(name, rest));
  if (named.length === 0) return "";
  const tree = parsed(rest);
  if (tree === undefined) return "";
  const read = new Set(undeclaredReads(tree).map(({ name }) => name));
  return named
    .filter(([name]) => read.has(name))
    .map(([, code]) => code)
    .join("");
}

function isLookedFor(name: string, text: string): boolean {
  return new RegExp(`typeof\\s*\\(?\\s*${name}\\b`).test(text);
}

function parsed(text: string): Node | undefined {
  for (const sourceType of ["module", "script"] as const)
    try {
      return parse(text, { ecmaVersion: "latest", sourceType, allowReturnOutsideFunction: true, allowHashBang: true });
    } catch {
      // It is of the other type, or esbuild reports the error.
    }
  return undefined;
}
