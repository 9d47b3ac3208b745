/**
 * Rewrites reads of undeclared names to throw a ReferenceError if the sandbox has no such global. In a compartment they would
 * read as `undefined`, so a misspelt name would fail later and elsewhere.
 */
import type { Node } from "acorn";
import type { Edit } from "./edits.js";
import { walkTree } from "./tree.js";

/** Globals of every compartment, whatever is granted: reads of them are not rewritten. */
const ALWAYS: ReadonlySet<string> = new Set([
  ..."undefined NaN Infinity arguments eval globalThis Object Function Array String Number Boolean Symbol BigInt".split(
    " ",
  ),
  ..."Math JSON Date RegExp Promise Proxy Reflect Map Set WeakMap WeakSet Error EvalError RangeError".split(" "),
  ..."ReferenceError SyntaxError TypeError URIError AggregateError ArrayBuffer DataView Int8Array Uint8Array".split(
    " ",
  ),
  ..."Uint8ClampedArray Int16Array Uint16Array Int32Array Uint32Array Float32Array Float64Array".split(" "),
  ..."BigInt64Array BigUint64Array parseInt parseFloat isNaN isFinite encodeURIComponent decodeURIComponent".split(" "),
  ..."encodeURI decodeURI escape unescape TextEncoder TextDecoder URL URLSearchParams structuredClone console".split(
    " ",
  ),
]);

interface Read {
  readonly node: Node;
  readonly name: string;
  readonly shorthand: boolean;
}

/** Finds reads of names that nothing in the tree declares, but for those in `known`; `typeof` does not count as a read. */
export function undeclaredReads(root: Node, known: ReadonlySet<string> = ALWAYS): Read[] {
  const declared = new Set<string>();
  const reads: Read[] = [];
  walkTree(root, (node, parent, grandparent) => {
    if (node.type === "Identifier" && parent) {
      const name = String(Reflect.get(node, "name"));
      const use = useOf(node, parent, grandparent);
      if (use === "declared") declared.add(name);
      else if (use !== "other" && !known.has(name)) reads.push({ node, name, shorthand: use === "shorthand" });
    }
    return true;
  });
  return reads.filter(({ name }) => !declared.has(name));
}

/** Returns the edits, unsorted. */
export function undeclaredEdits(root: Node): Edit[] {
  const seen = new Set<number>();
  return undeclaredReads(root).flatMap(({ node: { start, end }, name, shorthand }) => {
    if (seen.has(start)) return [];
    seen.add(start);
    const read = `(typeof ${name}>"u"?(()=>{throw new ReferenceError("${name} is not defined in the sandbox")})():${name})`;
    return [{ at: start, remove: end - start, insert: shorthand ? `${name}:${read}` : read }];
  });
}

/** Returns the use of an identifier. Patterns count as declarations, so assigned names are not rewritten. */
function useOf(node: Node, parent: Node, grandparent: Node | undefined): "declared" | "read" | "shorthand" | "other" {
  const is = (field: string): boolean => Reflect.get(parent, field) === node;
  switch (parent.type) {
    case "MemberExpression":
      return is("object") || Reflect.get(parent, "computed") === true ? "read" : "other";
    case "Property": {
      if (grandparent?.type === "ObjectPattern") {
        if (is("value")) return "declared";
        return Reflect.get(parent, "computed") === true ? "read" : "other";
      }
      const shorthand = Reflect.get(parent, "shorthand") === true;
      if (shorthand) return "shorthand";
      return is("value") || Reflect.get(parent, "computed") === true ? "read" : "other";
    }
    case "MethodDefinition":
    case "PropertyDefinition":
      return is("value") || (is("key") && Reflect.get(parent, "computed") === true) ? "read" : "other";
    case "VariableDeclarator":
      return is("id") ? "declared" : "read";
    case "FunctionDeclaration":
    case "FunctionExpression":
    case "ArrowFunctionExpression":
      return is("body") ? "read" : "declared";
    case "ClassDeclaration":
    case "ClassExpression":
      return is("id") ? "declared" : "read";
    case "ImportSpecifier":
    case "ImportDefaultSpecifier":
    case "ImportNamespaceSpecifier":
      return is("local") ? "declared" : "other";
    case "ExportSpecifier":
      return is("local") ? "read" : "other";
    case "CatchClause":
    case "RestElement":
    case "ArrayPattern":
      return "declared";
    case "AssignmentPattern":
      return is("left") ? "declared" : "read";
    case "AssignmentExpression":
    case "ForInStatement":
    case "ForOfStatement":
      return is("left") ? "declared" : "read";
    case "UpdateExpression":
      return "declared";
    case "UnaryExpression":
      return ["typeof", "delete"].includes(String(Reflect.get(parent, "operator"))) ? "other" : "read";
    case "LabeledStatement":
    case "BreakStatement":
    case "ContinueStatement":
    case "MetaProperty":
      return is("body") ? "read" : "other";
    default:
      return "read";
  }
}
