/**
 * The one setting of a tsconfig.json that changes what a plugin's code means, `experimentalDecorators`, and those that a
 * bundle cannot follow, which are named. All else in it is for editors. What it extends outside the folder is left alone.
 */
import { lstatSync } from "node:fs";
import { join, posix } from "node:path";
import { type Expression, parseExpressionAt } from "acorn";
import { type Confinement, isBelow } from "./confined-file.js";
import { BundleRefusal, type SourcePosition } from "./refusal.js";
import { lineOf } from "./settings-files.js";
import type { SourceLedger } from "./source-ledger.js";

/** What a plugin's tsconfig.json asks for. */
export interface TypeScriptSettings {
  /** `experimentalDecorators`. */
  readonly legacyDecorators: boolean;
  /** Where `emitDecoratorMetadata` is asked for. */
  readonly metadata?: SourcePosition | undefined;
}

/** Files that extend each other, at most. */
const DEEPEST = 8;

/**
 * Reads the folder's own tsconfig.json and what it extends within the folder. One that asks for old decorators goes into the
 * ledger, since the same files are another program without it.
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

/** Throws `ERR_PLUGIN_SYNTAX` for decorated code whose types `emitDecoratorMetadata` asks for: they are gone. */
export function refuseMetadata(code: string, { metadata }: TypeScriptSettings): void {
  if (metadata === undefined || !/\b__decorateClass\d*\(/.test(code)) return;
  throw new BundleRefusal(
    "ERR_PLUGIN_SYNTAX",
    '"emitDecoratorMetadata" is not supported: types are gone when a plugin is bundled; ' +
      "remove it and name the types in the decorators, or compile with tsc and load what it writes",
    metadata,
  );
}

/** Where "paths" of a folder's tsconfig.json leads an import that is not found; undefined where it says nothing of it. */
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

/** tsconfig.json and what it extends inside, nearest first. */
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

/** What cannot be read steers nothing. */
function textOf(ledger: SourceLedger, path: string): string | undefined {
  try {
    return ledger.peek(path).toString();
  } catch {
    return undefined;
  }
}

/** JSON with comments is an expression to a JavaScript parser. */
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
