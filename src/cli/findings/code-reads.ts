/** What a bundle reads of its surroundings, without running it: globals, and members of the powers that `init` gets. */
import { SourceMap, type SourceMapPayload } from "node:module";
import { type Node, parse } from "acorn";
import { walkTree } from "../../bundler/tree.js";
import { undeclaredReads } from "../../bundler/undeclared.js";
import { isRuntimeSource } from "../../protocol/bundle-global.js";

/** One read, with its place in the author's files. */
export interface CodeRead {
  /** A global's name, `Date.now()`, `new Date()`, `Math.random()`, or `powers.NAME`. */
  readonly name: string;
  /** Relative to the plugin's folder. */
  readonly file: string;
  readonly line: number;
  readonly column: number;
  /** False in a package. */
  readonly own: boolean;
}

export interface CodeReads {
  readonly globals: readonly CodeRead[];
  readonly powers: readonly CodeRead[];
  /** Names of members that the code reads of anything: a power that is not among them is not used. */
  readonly members: ReadonlySet<string>;
}

/** What the bundler calls a `require` that it could not replace by a module. */
const REQUIRE = "__require";

const NONE: ReadonlySet<string> = new Set();

/** Reads a bundle. Returns undefined for code that is too deeply nested to be parsed here. */
export function codeReads(code: string, sourceMap: string): CodeReads | undefined {
  let root: Node;
  try {
    root = parse(code, { ecmaVersion: "latest", sourceType: "script" });
  } catch {
    return undefined;
  }
  const places = new Places(code, JSON.parse(sourceMap) as SourceMapPayload);
  const parents = new Map<Node, Node>();
  const members = new Set<string>();
  const inits: Node[] = [];
  const requires: Node[] = [];
  walkTree(root, (node, parent) => {
    if (parent && node.type === "Identifier") parents.set(node, parent);
    if (parent && nameOf(node) === REQUIRE) requires.push(node);
    const member = memberName(node);
    if (member !== undefined && places.of(node.start) !== undefined) members.add(member);
    const init = initIn(node);
    if (init) inits.push(init);
    return true;
  });
  const reads = [...undeclaredReads(root, NONE), ...requires.map((node) => ({ node, name: "require" }))];
  const globals = reads.flatMap(({ node, name }) => {
    const read = nameOfRead(name, node, parents.get(node));
    const place = read === undefined ? undefined : places.of(node.start);
    return read === undefined || place === undefined ? [] : [{ name: read, ...place }];
  });
  return { globals, powers: inits.flatMap((init) => powersOf(init, places)), members };
}

/** Says what of a global is read: of `Date` and `Math` only some is a power. Undefined: nothing that needs one. */
function nameOfRead(name: string, node: Node, parent: Node | undefined): string | undefined {
  if (name !== "Date" && name !== "Math") return name;
  const member = parent?.type === "MemberExpression" ? nameOf(Reflect.get(parent, "property")) : undefined;
  if (name === "Math") return member === "random" ? "Math.random()" : undefined;
  if (member === "now") return "Date.now()";
  if (parent === undefined || Reflect.get(parent, "callee") !== node) return undefined;
  if (parent.type === "CallExpression") return "Date()";
  return (Reflect.get(parent, "arguments") as readonly unknown[]).length === 0 ? "new Date()" : undefined;
}

/** Returns the function that a node defines as `init`. */
function initIn(node: Node): Node | undefined {
  const field = (key: string): unknown => Reflect.get(node, key);
  if (node.type === "FunctionDeclaration") return isInit(field("id")) ? node : undefined;
  if (node.type === "VariableDeclarator") return isInit(field("id")) ? functionOf(field("init")) : undefined;
  if (node.type !== "AssignmentExpression") return undefined;
  const left = field("left") as Node;
  return left.type === "MemberExpression" && isInit(Reflect.get(left, "property"))
    ? functionOf(field("right"))
    : undefined;
}

/** The bundler gives a second function of that name a number. */
function isInit(id: unknown): boolean {
  return /^init\d*$/.test(nameOf(id) ?? "");
}

function functionOf(value: unknown): Node | undefined {
  const node = value as Node | null;
  return node && /^(Arrow)?FunctionExpression$/.test(node.type) ? node : undefined;
}

/** Lists the members that a function reads of its second parameter. */
function powersOf(init: Node, places: Places): readonly CodeRead[] {
  const second = (Reflect.get(init, "params") as readonly Node[])[1];
  if (second === undefined) return [];
  const found: CodeRead[] = [];
  const note = (name: string | undefined, node: Node): void => {
    const place = places.of(node.start);
    if (name !== undefined && place) found.push({ name: `powers.${name}`, ...place });
  };
  const notePattern = (pattern: Node): void => {
    for (const property of Reflect.get(pattern, "properties") as readonly Node[])
      note(nameOf(Reflect.get(property, "key")), property);
  };
  if (second.type === "ObjectPattern") notePattern(second);
  const parameter = nameOf(second);
  if (parameter === undefined) return found;
  walkTree(init, (node) => {
    const field = (key: string): unknown => Reflect.get(node, key);
    if (node.type === "MemberExpression" && field("computed") === false && nameOf(field("object")) === parameter)
      note(nameOf(field("property")), field("property") as Node);
    const pattern = field("id") as Node | null | undefined;
    if (node.type === "VariableDeclarator" && pattern?.type === "ObjectPattern" && nameOf(field("init")) === parameter)
      notePattern(pattern);
    return true;
  });
  return found;
}

/** Returns the member's name that a node reads, or could read. */
function memberName(node: Node): string | undefined {
  const field = (key: string): unknown => Reflect.get(node, key);
  if (node.type === "Property") return nameOf(field("key"));
  if (node.type === "Literal") return typeof field("value") === "string" ? String(field("value")) : undefined;
  if (node.type !== "MemberExpression" || field("computed") === true) return undefined;
  const [object, property] = [nameOf(field("object")), nameOf(field("property"))];
  return (object === "console" && property === "log") || (object === "Math" && property === "random")
    ? undefined
    : property;
}

function nameOf(node: unknown): string | undefined {
  const { type, name } = (node ?? {}) as { readonly type?: unknown; readonly name?: unknown };
  return type === "Identifier" && typeof name === "string" ? name : undefined;
}

/** Leads from the bundle to the author's files. */
class Places {
  readonly #map: SourceMap;
  /** Offsets at which the bundle's lines begin. */
  readonly #starts: number[] = [0];

  constructor(code: string, payload: SourceMapPayload) {
    this.#map = new SourceMap(payload);
    for (let at = code.indexOf("\n"); at >= 0; at = code.indexOf("\n", at + 1)) this.#starts.push(at + 1);
  }

  /** Returns the place of an offset; undefined for code that is Bulkhead's or the bundler's own. */
  of(offset: number): Omit<CodeRead, "name"> | undefined {
    let [low, high] = [0, this.#starts.length - 1];
    while (low < high) {
      const middle = Math.ceil((low + high) / 2);
      if ((this.#starts[middle] ?? 0) <= offset) low = middle;
      else high = middle - 1;
    }
    const entry = this.#map.findEntry(low, offset - (this.#starts[low] ?? 0));
    if (!("originalSource" in entry) || isRuntimeSource(entry.originalSource)) return undefined;
    const { originalSource: file, originalLine, originalColumn } = entry;
    return { file, line: originalLine + 1, column: originalColumn + 1, own: !/(?:^|\/)node_modules\//.test(file) };
  }
}
