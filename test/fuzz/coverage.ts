/**
 * Branches taken, exactly: V8 counts how often each block of a function ran (precise block coverage), and the branches are those
 * of the syntax tree: both sides of `if`, `?:`, `&&`, `||`, `??`, each `case`, each `catch`. A side without code (an `if` without
 * `else`, a right operand that was not looked at) ran as often as its statement did without the other side.
 */
import { readFileSync } from "node:fs";
import { type Profiler, Session } from "node:inspector/promises";
import { fileURLToPath } from "node:url";
import { setFlagsFromString } from "node:v8";
import { type Node, parse } from "acorn";
import type { ParserFile } from "./target.js";

/** One side of a branch. */
export interface Arm {
  readonly file: string;
  readonly line: number;
  readonly what: string;
  readonly count: number;
}

const DIST = new URL("../../../dist/", import.meta.url);

export class Coverage {
  readonly #session = new Session();

  /** To be called before the files are loaded: what was compiled earlier is not counted. */
  async start(): Promise<void> {
    // A function whose bytecode is thrown away at a collection loses its counts with it.
    setFlagsFromString("--no-flush-bytecode");
    this.#session.connect();
    await this.#session.post("Profiler.enable");
    await this.#session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  }

  /** What has run since the last call, or the start. */
  async take(): Promise<CoverageTaken> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    return new CoverageTaken(result);
  }

  async stop(): Promise<void> {
    await this.#session.post("Profiler.stopPreciseCoverage");
    this.#session.disconnect();
  }
}

export class CoverageTaken {
  readonly #scripts: ReadonlyMap<string, Profiler.ScriptCoverage>;

  constructor(scripts: readonly Profiler.ScriptCoverage[]) {
    this.#scripts = new Map(scripts.map((script) => [script.url, script]));
  }

  /** The arms of a file, or of the functions named, and how often each was taken. */
  arms({ file, functions }: ParserFile): Arm[] {
    const url = new URL(file, DIST);
    const source = readFileSync(fileURLToPath(url), "utf8");
    const tree = parse(source, { ecmaVersion: "latest", sourceType: "module", locations: true });
    const script = this.#scripts.get(url.href);
    const ranges = (script?.functions ?? []).flatMap((one) => one.ranges);
    const arms: Arm[] = [];
    const seen = new Set<string>();
    walk(tree as unknown as Fields, undefined, (node, inside) => {
      if (functions !== undefined && (inside === undefined || !functions.includes(inside))) return;
      if (inside !== undefined) seen.add(inside);
      for (const { what, at, count } of armsOf(node, (offset) => countAt(ranges, offset)))
        arms.push({ file, line: at.loc?.start.line ?? 0, what, count });
    });
    for (const name of functions ?? [])
      if (!seen.has(name)) throw new Error(`${file} has no function ${name}: correct the target`);
    return arms;
  }
}

/** How often the innermost range around `offset` ran. */
function countAt(ranges: readonly Profiler.CoverageRange[], offset: number): number {
  let [best, size] = [0, Number.POSITIVE_INFINITY];
  for (const { startOffset, endOffset, count } of ranges) {
    if (offset < startOffset || offset >= endOffset || endOffset - startOffset > size) continue;
    [best, size] = [count, endOffset - startOffset];
  }
  return best;
}

type Fields = Node & Readonly<Record<string, unknown>>;

interface Found {
  readonly what: string;
  readonly at: Node;
  readonly count: number;
}

function armsOf(node: Fields, count: (offset: number) => number): Found[] {
  const side = (what: string, at: Node): Found => ({ what, at, count: count(at.start) });
  const rest = (what: string, taken: Found): Found => ({ what, at: node, count: count(node.start) - taken.count });
  switch (node.type) {
    case "IfStatement": {
      const then = side("if", node.consequent as Node);
      const otherwise = node.alternate as Node | null;
      return [then, otherwise ? side("else", otherwise) : rest("if not", then)];
    }
    case "ConditionalExpression":
      return [side("?", node.consequent as Node), side(":", node.alternate as Node)];
    case "LogicalExpression": {
      const right = side(String(node.operator), node.right as Node);
      return [right, rest(`not ${String(node.operator)}`, right)];
    }
    case "SwitchCase": {
      const [first] = node.consequent as readonly Node[];
      return first ? [side("case", first)] : [];
    }
    case "CatchClause":
      return [side("catch", node.body as Node)];
    default:
      return [];
  }
}

const FUNCTIONS = new Set(["FunctionDeclaration", "FunctionExpression", "ArrowFunctionExpression"]);

/** Every node with the name of the named function around it: its own name, its method's, its member's or its constant's. */
function walk(
  node: Fields,
  inside: string | undefined,
  visit: (node: Fields, inside: string | undefined) => void,
): void {
  visit(node, inside);
  for (const [key, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof child !== "object" || child === null || !("type" in child)) continue;
      const inner = child as Fields;
      walk(inner, FUNCTIONS.has(inner.type) ? (nameOf(inner, node, key) ?? inside) : inside, visit);
    }
  }
}

function nameOf(func: Fields, holder: Fields, key: string): string | undefined {
  const own = func.id as { name: string } | null | undefined;
  if (own) return own.name;
  const named = (key === "value" ? holder.key : key === "init" ? holder.id : undefined) as
    | { type: string; name: string }
    | undefined;
  if (named === undefined) return undefined;
  return named.type === "PrivateIdentifier" ? `#${named.name}` : named.name;
}
