/** Walks acorn's tree without recursion: hostile code may be deeply nested. */
import type { Node } from "acorn";

/** Calls `visit` for every node, parents first; if it returns false, the children are skipped. */
export function walkTree(
  root: Node,
  visit: (node: Node, parent: Node | undefined, grandparent: Node | undefined) => boolean,
): void {
  const waiting: Array<{ node: Node; parent: Node | undefined; grandparent: Node | undefined }> = [
    { node: root, parent: undefined, grandparent: undefined },
  ];
  for (let next = waiting.pop(); next; next = waiting.pop()) {
    const { node, parent, grandparent } = next;
    if (!visit(node, parent, grandparent)) continue;
    for (const key in node) {
      const value: unknown = Reflect.get(node, key);
      if (Array.isArray(value)) {
        for (const child of value) if (isNode(child)) waiting.push({ node: child, parent: node, grandparent: parent });
      } else if (isNode(value)) waiting.push({ node: value, parent: node, grandparent: parent });
    }
  }
}

export function isNode(value: unknown): value is Node {
  return (
    typeof value === "object" &&
    value !== null &&
    "type" in value &&
    "start" in value &&
    typeof value.start === "number"
  );
}
