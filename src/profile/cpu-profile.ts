/** Reads a `.cpuprofile` that a worker's engine wrote: checked in shape, and with the author's places. */
import { z } from "../common/zod.js";
import { Frames, frame } from "./frames.js";
import { type FunctionShare, Functions } from "./functions.js";
import { PROFILE } from "./limits.js";

const count = z.int().min(0);

const profileShape = z.object({
  nodes: z
    .array(
      z.object({
        id: count,
        callFrame: frame,
        hitCount: count.optional(),
        children: z.array(count).optional(),
        positionTicks: z.array(z.object({ line: count, ticks: count })).optional(),
      }),
    )
    .min(1)
    .max(PROFILE.nodes),
  startTime: z.number(),
  endTime: z.number(),
  samples: z.array(count).max(PROFILE.samples),
  timeDeltas: z.array(z.number()).max(PROFILE.samples),
});

type CpuProfile = z.infer<typeof profileShape>;

/** Returns the profile as it is written to a file, and its functions by their own time in milliseconds. Throws if it is not one. */
export function readCpuProfile(
  value: unknown,
  sourceMap: string,
): { readonly profile: object; readonly functions: readonly FunctionShare[] } {
  const read = profileShape.parse(value);
  assertTree(read);
  const frames = new Frames(sourceMap);
  const nodes = read.nodes.map(({ callFrame, positionTicks, ...node }) => ({
    ...node,
    callFrame: frames.placed(callFrame),
    ...(positionTicks ? { positionTicks: ticksOf(frames, callFrame.url, positionTicks) } : {}),
  }));
  const functions = new Functions();
  const times = selfTimes(read);
  for (const { id, callFrame } of nodes) functions.add(callFrame, times.get(id) ?? 0);
  return { profile: { ...read, nodes }, functions: functions.list() };
}

/** Checks that the nodes are one tree, and that every sample is one of them. */
function assertTree({ nodes, samples }: CpuProfile): void {
  const byId = new Map(nodes.map((node) => [node.id, node]));
  if (byId.size !== nodes.length) throw new Error("two nodes have one id");
  const reached = new Set<number>();
  const ahead = nodes.slice(0, 1).map(({ id }) => id);
  for (let id = ahead.pop(); id !== undefined; id = ahead.pop()) {
    const node = byId.get(id);
    if (node === undefined || reached.has(id)) throw new Error("the nodes are not a tree");
    reached.add(id);
    for (const child of node.children ?? []) ahead.push(child);
  }
  if (reached.size !== nodes.length) throw new Error("the nodes are not a tree");
  if (samples.some((id) => !byId.has(id))) throw new Error("a sample is not a node");
}

/** Returns each node's own time in milliseconds: a sample counts for the time since the one before. */
function selfTimes({ samples, timeDeltas }: CpuProfile): ReadonlyMap<number, number> {
  const times = new Map<number, number>();
  for (const [at, id] of samples.entries())
    times.set(id, (times.get(id) ?? 0) + Math.max(0, timeDeltas[at] ?? 0) / 1000);
  return times;
}

function ticksOf(
  frames: Frames,
  url: string,
  ticks: readonly { readonly line: number; readonly ticks: number }[],
): readonly { readonly line: number; readonly ticks: number }[] {
  return ticks.flatMap(({ line, ticks: hits }) => {
    const own = frames.line(url, line - 1);
    return own === undefined ? [] : [{ line: own + 1, ticks: hits }];
  });
}
