/** Reads a `.heapprofile` that a worker's engine wrote: what was allocated meanwhile and is still there, by function. */
import { z } from "../common/zod.js";
import { Frames, frame } from "./frames.js";
import { type FunctionShare, Functions } from "./functions.js";
import { PROFILE } from "./limits.js";

const count = z.int().min(0);

/** A node; its children are read one after another, since a tree may be deeper than the stack. */
const nodeShape = z.object({ callFrame: frame, selfSize: count, id: count, children: z.array(z.unknown()) });

const profileShape = z.object({
  head: z.unknown(),
  samples: z.array(z.object({ size: count, nodeId: count, ordinal: count })).max(PROFILE.samples),
});

interface Node {
  readonly callFrame: ReturnType<Frames["placed"]>;
  readonly selfSize: number;
  readonly id: number;
  readonly children: Node[];
}

/** Returns the profile as it is written to a file, and its functions by bytes. Throws if it is not one. */
export function readHeapProfile(
  value: unknown,
  sourceMap: string,
): { readonly profile: object; readonly functions: readonly FunctionShare[] } {
  const { head, samples } = profileShape.parse(value);
  const frames = new Frames(sourceMap);
  const functions = new Functions();
  const roots: Node[] = [];
  const ahead: { readonly value: unknown; readonly into: Node[] }[] = [{ value: head, into: roots }];
  for (let nodes = 1; ; nodes++) {
    const next = ahead.pop();
    if (next === undefined) break;
    if (nodes > PROFILE.nodes) throw new Error(`it has more than ${PROFILE.nodes} nodes`);
    const { callFrame, selfSize, id, children } = nodeShape.parse(next.value);
    const node: Node = { callFrame: frames.placed(callFrame), selfSize, id, children: [] };
    functions.add(node.callFrame, selfSize);
    next.into.push(node);
    for (const child of [...children].reverse()) ahead.push({ value: child, into: node.children });
  }
  return { profile: { head: roots[0], samples }, functions: functions.list() };
}
