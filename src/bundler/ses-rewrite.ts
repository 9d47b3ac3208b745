/**
 * Rewrites text that SES refuses because it looks like `import(`, `import.`, a direct `eval(` or an HTML comment, even in a
 * string. Literals and names get an escape, an `import()` of a missing module rejects, and the rest is reported with its place.
 */
import { type Node, type Options, parse } from "acorn";
import type { Edit } from "./edits.js";
import { isNode, walkTree } from "./tree.js";
import { undeclaredEdits } from "./undeclared.js";

/** Something that cannot be rewritten: its offset in the code, and why. */
export interface Obstacle {
  readonly at: number;
  readonly what: "import" | "phase" | "eval" | "tagged";
  /** The text as SES sees it. */
  readonly text: string;
  /** How many lines below `at` the text is: a multi-line template is mapped only by its start. */
  readonly below: number;
}

/** The edits, sorted by offset, or the first obstacle. */
export type SesRewrite = { readonly edits: readonly Edit[] } | { readonly obstacle: Obstacle };

interface Hit {
  readonly at: number;
  readonly text: "import" | "import." | "eval" | "<!--" | "-->";
}

/** The patterns of ses/src/transforms.js, changed to find every match, at the word's own offset. */
const PATTERNS: ReadonlyArray<readonly [Hit["text"], RegExp]> = [
  ["import", /(?<=^|[^.]|\.\.\.)\bimport(?=\s*(?:\(|\/[/*]))/g],
  // As in worker/sandbox.ts.
  ["import.", /(?<=^|[^.$\w]|\.\.\.)import(?=\s*\.\s*(?!meta\b))/g],
  ["eval", /(?<=^|[^.])\beval(?=\s*\()/g],
  ["<!--", /<!--/g],
  ["-->", /-->/g],
];

const GRAMMAR: Options = { ecmaVersion: "latest", sourceType: "script" };

/** Name of a function prepended to code that imports a missing module. */
const ABSENT = "__bulkhead_absent__";
const ABSENT_CODE =
  `var ${ABSENT}=async(name)=>{throw Object.assign(new Error("Cannot find module '"+name+"': it is not part of the ` +
  `plugin"),{code:"ERR_MODULE_NOT_FOUND"})};`;

function suspects(code: string): Hit[] {
  const hits = PATTERNS.flatMap(([text, pattern]) =>
    Array.from(code.matchAll(pattern), (match): Hit => ({ at: match.index, text })),
  );
  return hits.sort((a, b) => a.at - b.at);
}

/**
 * Finds the edits that make a script acceptable to SES; throws acorn's SyntaxError, with `pos`. `isPackages`: whether an offset is
 * in a package's code, where direct evals and computed imports are rewritten too.
 */
export function rewriteForSes(code: string, isPackages: (at: number) => boolean = () => false): SesRewrite {
  const hits = suspects(code);
  const tree = hits.length > 0 ? parse(code, GRAMMAR) : parsedIfShallow(code);
  if (tree === undefined) return { edits: [] };
  const edits: Edit[] = undeclaredEdits(tree);
  const places = hits.length > 0 ? placesOf(tree, hits) : new Map<Hit, Place>();
  for (const hit of hits) {
    const change = changeFor(code, hit, places.get(hit));
    const edit = "what" in change ? editInPackage(change, places.get(hit), isPackages) : change;
    if (edit === undefined) return { obstacle: change as Obstacle };
    edits.push(edit);
  }
  if (edits.some(({ insert }) => insert.startsWith(ABSENT))) edits.push({ at: 0, remove: 0, insert: ABSENT_CODE });
  return { edits: withoutNested(edits.sort((a, b) => a.at - b.at)) };
}

/** In a package, turns a direct eval into an indirect one, and an `import()` of a computed path into a rejection. */
function editInPackage(
  { at, what }: Obstacle,
  place: Place | undefined,
  isPackages: (at: number) => boolean,
): Edit | undefined {
  if (what === "eval" && isPackages(at)) return { at, remove: "eval".length, insert: "(0,eval)" };
  if (what === "import" && place?.leaf.type === "ImportExpression" && isPackages(at))
    return { at, remove: "import".length, insert: ABSENT };
  return undefined;
}

/** Parses code without matches; returns undefined for code too deep to parse, which is left unchanged. */
function parsedIfShallow(code: string): Node | undefined {
  try {
    return parse(code, GRAMMAR);
  } catch {
    return undefined;
  }
}

/** Drops edits inside the text that another edit removes. */
function withoutNested(edits: readonly Edit[]): Edit[] {
  let end = 0;
  return edits.filter(({ at, remove }) => {
    if (at < end) return false;
    end = at + remove;
    return true;
  });
}

/** The leaf of the syntax tree that holds a match, its parent, and whether it is in a tagged template. */
interface Place {
  readonly leaf: Node;
  readonly parent: Node | undefined;
  readonly tagged: boolean;
}

const LEAVES: ReadonlySet<string> = new Set(["Literal", "TemplateElement", "Identifier", "PrivateIdentifier"]);

function placesOf(root: Node, hits: readonly Hit[]): Map<Hit, Place> {
  const places = new Map<Hit, Place>();
  walkTree(root, (node, parent, grandparent) => {
    let index = firstAtOrAfter(hits, node.start);
    let hit = hits[index];
    if (!hit || hit.at >= node.end) return false;
    if (node.type === "ImportExpression" && hit.at === node.start)
      places.set(hit, { leaf: node, parent, tagged: false });
    if (!LEAVES.has(node.type)) return true;
    const tagged =
      node.type === "TemplateElement" &&
      grandparent?.type === "TaggedTemplateExpression" &&
      parent !== undefined &&
      quasiOf(grandparent) === parent;
    for (; hit && hit.at < node.end; hit = hits[++index]) places.set(hit, { leaf: node, parent, tagged });
    return false;
  });
  return places;
}

function changeFor(code: string, hit: Hit, place: Place | undefined): Edit | Obstacle {
  const word = hit.text === "import" || hit.text === "import." || hit.text === "eval";
  if (place?.tagged) {
    const { start } = place.leaf;
    return { at: start, what: "tagged", text: hit.text, below: code.slice(start, hit.at).split("\n").length - 1 };
  }
  if (!place) {
    // Adjacent operators: a space separates them, as in `a-- >b` or `a< !--b`.
    if (hit.text === "-->") return { at: hit.at + 2, remove: 0, insert: " " };
    if (hit.text === "<!--") return { at: hit.at + 1, remove: 0, insert: " " };
    return { at: hit.at, what: hit.text === "import." ? "phase" : hit.text, text: hit.text, below: 0 };
  }
  const { leaf, parent } = place;
  if (leaf.type === "ImportExpression") {
    // An import of a fixed path remains only where the module is missing and the author catches the error.
    const source: unknown = Reflect.get(leaf, "source");
    const name: unknown = isNode(source) && source.type === "Literal" ? Reflect.get(source, "value") : undefined;
    if (typeof name !== "string" || hit.text !== "import")
      return { at: hit.at, what: "import", text: hit.text, below: 0 };
    return { at: leaf.start, remove: leaf.end - leaf.start, insert: `${ABSENT}(${literalOf(name)})` };
  }
  if (leaf.type === "Identifier" || leaf.type === "PrivateIdentifier") {
    // `$import(` is a name like any other, and so is a method called `import`; a plain `eval(` is a direct eval.
    const whole = leaf.type === "Identifier" && leaf.end - leaf.start === hit.text.length && hit.text === "eval";
    if (whole && !isKeyOf(leaf, parent)) return { at: hit.at, what: "eval", text: hit.text, below: 0 };
    return escaped(code, hit.at + 1, "\\u00");
  }
  if (word) return escaped(code, hit.at + 1, "\\x");
  if (hit.text === "-->") return escaped(code, hit.at + 2, "\\x");
  // In a regex, `!` may belong to a look-behind and `-` to a range: the plain one of the two is escaped.
  const inRegex = leaf.type === "Literal" && "regex" in leaf;
  const plainDash = inRegex && !insideClass(code, leaf.start, hit.at);
  return escaped(code, hit.at + (plainDash ? 2 : 1), "\\x");
}

/** Replaces one ASCII character with its escape. */
function escaped(code: string, at: number, prefix: "\\x" | "\\u00"): Edit {
  return { at, remove: 1, insert: prefix + code.charCodeAt(at).toString(16).padStart(2, "0") };
}

/** Returns whether a regex literal that begins at `start` has an open `[` at `at`. */
function insideClass(code: string, start: number, at: number): boolean {
  let depth = 0;
  for (let index = start + 1; index < at; index++) {
    const char = code[index];
    if (char === "\\") index++;
    else if (char === "[") depth = 1;
    else if (char === "]") depth = 0;
  }
  return depth > 0;
}

function isKeyOf(leaf: Node, parent: Node | undefined): boolean {
  if (!parent) return false;
  const field = (name: string): unknown => Reflect.get(parent, name);
  if (parent.type === "MemberExpression") return field("property") === leaf && field("computed") === false;
  const keyed =
    parent.type === "Property" || parent.type === "MethodDefinition" || parent.type === "PropertyDefinition";
  return keyed && field("key") === leaf && field("computed") === false && field("shorthand") !== true;
}

function quasiOf(node: Node): unknown {
  return Reflect.get(node, "quasi");
}

/** Returns a string literal in ASCII, without text that SES could take for code. */
function literalOf(name: string): string {
  return `"${name.replace(/[^\w./:@-]/g, (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`)}"`;
}

function firstAtOrAfter(hits: readonly Hit[], at: number): number {
  let low = 0;
  let high = hits.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((hits[middle]?.at ?? 0) < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
