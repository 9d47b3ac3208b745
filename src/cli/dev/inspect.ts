/** `bulkhead dev --inspect`: a debugger attaches to the plugin, which runs in a thread of this process, without the wall. */
import { close, open, url } from "node:inspector";
import { pathToFileURL } from "node:url";
import { DriverError } from "../../driverapi/errors.js";
import type { PluginHostOptions } from "../../host/options.js";
import { type PluginHost, startHost } from "../../host/plugin-host.js";
import { ThreadLauncher } from "../../isolation/thread-launcher.js";
import { DOCUMENT_LIMITS } from "../../policy/limits.js";
import type { DevPrinter } from "./printer.js";

/** Deadlines that let an author look around at a breakpoint. */
export const PATIENT: { readonly default: number; readonly init: number } = {
  default: DOCUMENT_LIMITS.timeoutMs,
  init: DOCUMENT_LIMITS.timeoutMs,
};

/** Lets debuggers attach, until the returned function is called. Throws `ERR_OPTIONS` if the port is taken. */
export function openInspector(port: number, printer: DevPrinter): () => Promise<void> {
  try {
    open(port, "127.0.0.1");
  } catch (error) {
    throw new DriverError("ERR_OPTIONS", `a debugger cannot attach on 127.0.0.1:${port}: ${(error as Error).message}`);
  }
  const at = url() ?? "";
  const text = `a debugger can attach at ${at} (chrome://inspect, or "attach" in VS Code): so can other accounts of this machine; the plugin runs in a thread, without the wall`;
  printer.print({ event: "note", text, data: { inspector: at } });
  return async () => close();
}

/** Starts a host whose plugins run in threads with their source maps. `folder`: of the author's files. */
export function inspectedHost(options: PluginHostOptions, folder: string): Promise<PluginHost> {
  const threads = new ThreadLauncher({ execArgv: [] });
  const sourceRoot = pathToFileURL(`${folder.replace(/\/$/, "")}/`).href;
  return startHost({ ...options, isolation: "thread" }, { threads, sourceRoot });
}
