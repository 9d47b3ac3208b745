/** The names a plugin finds: the language's, and what the default grant adds to them. Both are asked for, not listed. */
import { runInNewContext } from "node:vm";
import { assemblePowers } from "#dist/worker/powers.js";
import { defaultGrant } from "../packages/grant.js";

const port = { request: async () => null, notify: () => {} };

/** Names of the runtime's: what every plugin has, and what the default grant gives. */
export const GIVEN: readonly string[] = Object.keys(assemblePowers(defaultGrant(), port).globals).sort();

/** Names that no plugin may find: of Node's and the web's, without those that it is given. */
export function withoutGiven(names: readonly string[]): string[] {
  return names.filter((name) => !GIVEN.includes(name));
}

/** Those of a plugin's global names that are neither the language's nor given. */
export function unexpected(names: readonly string[]): string[] {
  const engines: readonly string[] = runInNewContext("Object.getOwnPropertyNames(globalThis)");
  // src/worker/language-level.ts adds it where the engine has none.
  const language = [...engines, "Iterator"];
  return withoutGiven(names).filter((name) => !language.includes(name));
}
