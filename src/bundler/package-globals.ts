/**
 * A package that was written for Node reads `Buffer` and `process` as globals. Its own file gets the kept copies of them, as a
 * bundler for browsers gives them; where it looks first whether there are any, it finds none. An author's files import them.
 */
import { type Node, parse } from "acorn";
import { NODE_NAMESPACE } from "../protocol/bundle-global.js";
import { undeclaredReads } from "./undeclared.js";

/** Where each comes from, as code at the head of the file; by a name that no package.json's `browser` maps. */
const GLOBALS: ReadonlyArray<readonly [name: string, code: string]> = [
  ["Buffer", `var Buffer=require("${NODE_NAMESPACE}:buffer").Buffer;`],
  ["process", `var process=require("${NODE_NAMESPACE}:process");`],
];

/** The code to put in front of a JavaScript file's, on its first line; empty for most. */
export function packageGlobals(text: string): string {
  // esbuild replaces that one.
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
      // The other kind, or what esbuild tells of.
    }
  return undefined;
}
