/** Chooses the backend: tc where netlink works on the kernel, a model where netlink is a model. */
import type { TrafficBackend } from "./backend.js";
import { TcBackend } from "./kernel/tc-backend.js";
import { ModelTraffic } from "./model/model-traffic.js";

export function openTraffic(kind: "kernel" | "model", netns: string | undefined): TrafficBackend {
  return kind === "kernel" ? new TcBackend(netns) : new ModelTraffic();
}
