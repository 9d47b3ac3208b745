/**
 * Reads the setting of a tsconfig.json that changes the meaning of code, `experimentalDecorators`, and reports those that a bundle
 * cannot follow. The others are for editors; files outside the folder are not read.
 */
import { lstatSync } from "node:fs";
import { join, posix } from "node:path";
import { type Expression, parseExpressionAt } from "acorn";
import { type Confinement, isBelow } from "./confined-file.js";
import { BundleRefusal, type SourcePosition } from "./refusal.js";
import { lineOf } from "./settings-files.js";
import type { SourceLedger } from "./source-ledger.js";

/** The settings of a plugin's tsconfig.json. */
export interface TypeScriptSettings {
  /** `experimentalDecorators`. */
  readonly legacyDecorators: boolean;
  /** The position of `emitDecoratorMetadata`. */
  readonly metadata?: SourcePosition | undefined;
}

/** Longest chain of `extends`. */
const DEEPEST = 8;

/**
 * Reads the folder's tsconfig.json and what it extends within the folder. A file that enables old decorators goes into the
 * ledger, since it changes the program.
 */
export function readTsconfig(ledger: SourceLedger, rules: Confinement): TypeScriptSettings {
  if (rules.only !== undefined) return { legacyDecorators: false };
  for (const { name, text } of chainOf(ledger, rules)) {
    const options = fieldsOf(parsed(text)).get("compilerOptions");
    const found = fieldsOf(options).get("experimentalDecorators");
    if (found?.type !== "Literal" || typeof found.value !== "boolean") continue;
    if (!found.value) break;
    ledger.read(join(rules.root, name));
    return { legacyDecorators: true, metadata: metadataOf(ledger, rules) };
  }
  return { legacyDecorators: false };
}

/** Throws `ERR_PLUGIN_SYNTAX` for decorated code under `emitDecoratorMetadata`: esbuild removes types. */
export function refuseMetadata(code: string, { metadata }: TypeScriptSettings): void {
  if (metadata === undefined || !/\b__decorateClass\d*\(/.test(code)) return;
  throw new BundleRefusal(
    "ERR_PLUGIN_SYNTAX",
    '"emitDecoratorMetadata" is not supported: types are gone when a plugin is bundled; ' +
      "remove it and name the types in the decorators, or compile with tsc and load what it writes",
    metadata,
  );
}

/** Returns the position of the entry of "paths" that maps a missing import; undefined if there is none. */
export function pathsEntry(path: string, ledger: SourceLedger, rules: Confinement): SourcePosition | undefined {
  if (rules.only !== undefined) return undefined;
  for (const { name, text } of chainOf(ledger, rules)) {
    const paths = fieldsOf(fieldsOf(fieldsOf(parsed(text)).get("compilerOptions")).get("paths"));
    for (const key of paths.keys()) {
      const [before = "", after] = key.split("*");
      if (after === undefined ? key === path : path.startsWith(before) && path.endsWith(after))
        return { file: name, line: lineOf(text, JSON.stringify(key)) };
    }
  }
  return undefined;
}

function metadataOf(ledger: SourceLedger, rules: Confinement): SourcePosition | undefined {
  for (const { name, text } of chainOf(ledger, rules)) {
    const found = fieldsOf(fieldsOf(parsed(text)).get("compilerOptions")).get("emitDecoratorMetadata");
    if (found?.type !== "Literal") continue;
    return found.value === true ? { file: name, line: lineOf(text, '"emitDecoratorMetadata"') } : undefined;
  }
  return undefined;
}

/** Returns tsconfig.json and what it extends inside the folder, nearest first. */
function chainOf(ledger: SourceLedger, { root }: Confinement): Array<{ name: string; text: string }> {
  const found: Array<{ name: string; text: string }> = [];
  const waiting = ["tsconfig.json"];
  for (let name = waiting.shift(); name !== undefined && found.length < DEEPEST; name = waiting.shift()) {
    const path = join(root, name);
    if (!isBelow(path, root) || !lstatSync(path, { throwIfNoEntry: false })?.isFile()) continue;
    const text = textOf(ledger, path);
    if (text === undefined || found.some((one) => one.name === name)) continue;
    found.push({ name, text });
    const folder = posix.dirname(name);
    for (const target of textsOf(fieldsOf(parsed(text)).get("extends")).reverse())
      if (/^\.\.?\//.test(target))
        waiting.push(posix.join(folder, target.endsWith(".json") ? target : `${target}.json`));
  }
  return found;
}

/** Returns a file's text; undefined if it cannot be read. */
function textOf(ledger: SourceLedger, path: string): string | undefined {
  try {
    return ledger.peek(path).toString();
  } catch {
    return undefined;
  }
}

/** Parses JSON with comments, as a JavaScript expression. */
function parsed(text: string): Expression | undefined {
  try {
    return parseExpressionAt(text, 0, { ecmaVersion: "latest" });
  } catch {
    return undefined;
  }
}

function fieldsOf(value: Expression | undefined): Map<string, Expression> {
  const fields = new Map<string, Expression>();
  if (value?.type !== "ObjectExpression") return fields;
  for (const property of value.properties)
    if (property.type === "Property" && property.key.type === "Literal")
      fields.set(String(property.key.value), property.value);
  return fields;
}

function textsOf(value: Expression | undefined): string[] {
  const items = value?.type === "ArrayExpression" ? value.elements : [value];
  return items.flatMap((item) => (item?.type === "Literal" && typeof item.value === "string" ? [item.value] : []));
}
