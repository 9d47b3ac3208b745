/** Turns esbuild's errors into one refusal, with a code, and the author's file and line. */

import { isBuiltin } from "node:module";
import type { Message } from "esbuild";
import { messageOf } from "../common/text.js";
import { SIMPLER } from "./messages.js";
import { NODE_MODULES } from "./node-modules.js";
import { BundleRefusal, type SourcePosition } from "./refusal.js";
import { EXTENSIONS } from "./sources.js";

/** Finds the line of a tsconfig.json that maps an import to another path. */
type PathsOf = (path: string) => SourcePosition | undefined;

/** Creates a refusal from the error of `build()`. `entry`: the entry file's name, for errors without a position. */
export function refusalFrom(error: unknown, entry: string, pathsOf?: PathsOf): BundleRefusal {
  if (error instanceof BundleRefusal) return error.at ? error : error.seenAt({ file: entry });
  const messages = messagesOf(error);
  const first = messages?.[0];
  if (!first) {
    const why = messageOf(error);
    return new BundleRefusal(
      "ERR_BUNDLE_FAILED",
      `esbuild ended while it worked on the plugin (${why.split("\n")[0]}); ${SIMPLER}`,
    );
  }
  const refusal = refusalOf(first, entry, pathsOf);
  const more = (messages?.length ?? 1) - 1;
  return more === 0 ? refusal : new BundleRefusal(refusal.code, `${refusal.message} (and ${more} more)`, refusal.at);
}

/** Throws `ERR_PLUGIN_IMPORT` for an import that esbuild dropped because a package.json says it has no side effects. */
export function refuseDropped(warnings: readonly Message[]): void {
  const dropped = warnings.find((warning) => warning.id === "ignored-bare-import");
  if (!dropped) return;
  throw new BundleRefusal(
    "ERR_PLUGIN_IMPORT",
    `${dropped.text}: remove "sideEffects" from that package.json, or the import`,
    placeOf(dropped),
  );
}

function refusalOf(message: Message, entry: string, pathsOf: PathsOf | undefined): BundleRefusal {
  const at = placeOf(message);
  if (message.detail instanceof BundleRefusal) return message.detail.seenAt(at ?? { file: entry });
  const unresolved = /^Could not resolve "(.*)"$/s.exec(message.text)?.[1];
  const alias = unresolved === undefined ? undefined : pathsOf?.(unresolved);
  if (alias)
    return new BundleRefusal(
      "ERR_PLUGIN_IMPORT",
      `"${unresolved}" is among the "paths" of ${alias.file}:${alias.line}, which a bundle does not follow; ` +
        'write a relative path, or put it under "imports" of package.json, such as "#name"',
      at ?? { file: entry },
    );
  if (unresolved !== undefined)
    return new BundleRefusal("ERR_PLUGIN_IMPORT", notFound(unresolved, message), at ?? { file: entry });
  if (!at)
    return new BundleRefusal("ERR_BUNDLE_FAILED", `the bundler gave up: ${message.text}; ${SIMPLER}`, { file: entry });
  if (message.text.startsWith("Top-level await")) {
    return new BundleRefusal(
      "ERR_PLUGIN_SYNTAX",
      "top-level await cannot run in the sandbox; await inside init() instead",
      at,
    );
  }
  return new BundleRefusal("ERR_PLUGIN_SYNTAX", message.text.replace(/:$/, ""), at);
}

function notFound(path: string, message: Message): string {
  if (isBuiltin(path)) {
    return (
      `"${path}" is a Node module that the sandbox does not have; ` +
      `ask for a power instead, under "permissions" in the manifest (available Node modules: ${NODE_MODULES.join(", ")})`
    );
  }
  const note = message.notes.map(({ text }) => text).find((text) => !/external|platform|plugin/i.test(text));
  const todo = /^[./]/.test(path)
    ? `check the spelling; a plugin is made of ${EXTENSIONS.join(", ")} files`
    : "install the package into the plugin's folder (npm install there), or check the spelling";
  return `"${path}" is not found; ${todo}${note ? ` (${note})` : ""}`;
}

function placeOf({ location }: Message): SourcePosition | undefined {
  if (!location) return undefined;
  return { file: location.file, line: location.line, column: location.column + 1 };
}

function messagesOf(error: unknown): readonly Message[] | undefined {
  const errors: unknown = typeof error === "object" && error !== null ? Reflect.get(error, "errors") : undefined;
  return Array.isArray(errors) && errors.length > 0 ? errors : undefined;
}
