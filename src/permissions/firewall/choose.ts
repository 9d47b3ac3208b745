/** Chooses the firewall's backend: nftables where netlink works on the kernel, a model where netlink is a model. */
import type { OperatorLog } from "../../common/logger.js";
import type { FirewallBackend } from "./backend.js";
import { KernelNeighbours } from "./kernel/kernel-neighbours.js";
import { NftBackend } from "./kernel/nft-backend.js";
import { ModelFirewall } from "./model/model-firewall.js";
import { type Neighbours, NO_NEIGHBOURS } from "./neighbours.js";

/** `ledger`: the ledger's id, which marks this host's tables. */
export function openFirewall(
  kind: "kernel" | "model",
  netns: string | undefined,
  ledger: string,
  logger: OperatorLog,
): FirewallBackend {
  return kind === "kernel" ? new NftBackend(netns, ledger, logger) : new ModelFirewall();
}

/** Other programs that filter packets; a model has none. */
export function openNeighbours(kind: "kernel" | "model", netns: string | undefined): Neighbours {
  return kind === "kernel" ? new KernelNeighbours(netns) : NO_NEIGHBOURS;
}
