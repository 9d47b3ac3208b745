/** Chooses the resolver's backend: sockets where netlink works on the kernel, a model where netlink is a model. */
import type { OperatorLog } from "../../common/logger.js";
import type { ResolverBackend } from "./backend.js";
import { KernelResolver } from "./kernel/kernel-resolver.js";
import { ModelResolver } from "./model/model-resolver.js";

export function openResolver(
  kind: "kernel" | "model",
  netns: string | undefined,
  logger: OperatorLog,
): ResolverBackend {
  return kind === "kernel" ? new KernelResolver(netns, logger) : new ModelResolver();
}
