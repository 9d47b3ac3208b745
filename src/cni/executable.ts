/** The executable that CNI runtimes start: passes the request to the daemon, and runs the IPAM plugin that a configuration names. */

import type { ExecutableReply, ExecutableRequest } from "../attachments/executable.js";
import { ask, end, type Installed, input, leave, NoAnswer, variables } from "../executables/ask.js";
import { CNI_ERRORS, CNI_LATEST, CNI_VERSIONS, type CniError } from "./versions.js";

/** Written at the head of the file by `bulkhead cni install`. */
declare const BULKHEAD: Installed;

const command = process.env.CNI_COMMAND ?? "";
const text = command === "" ? "" : input();

if (command === "VERSION")
  end({ exit: 0, output: JSON.stringify({ cniVersion: version(), supportedVersions: CNI_VERSIONS }) });
else if (command === "")
  end(failure("environment", "CNI_COMMAND is not set: this is a CNI plugin, which a container runtime starts"));
else void answer().then(end);

async function answer(): Promise<ExecutableReply> {
  const request: ExecutableRequest = { driver: BULKHEAD.driver, args: [], env: variables("CNI_"), input: text };
  const plugin = ipamType();
  if (plugin === "") return told(request);
  const ipam = await import("./delegate.js");
  return ipam.delegate(plugin, command, text, told, request);
}

/** Asks the daemon. If it does not run, leaves DEL for it, and returns an error for any other command. */
async function told(request: ExecutableRequest): Promise<ExecutableReply> {
  try {
    return await ask(BULKHEAD.socket, "cni", request);
  } catch (error) {
    if (!(error instanceof NoAnswer)) throw error;
    if (command !== "DEL") return failure(command === "STATUS" ? "notAvailable" : "tryAgain", error.message);
    try {
      leave(BULKHEAD.socket, "cni", request);
      return { exit: 0, output: "" };
    } catch (why) {
      return failure("tryAgain", error.message, `and the request could not be kept for it: ${why}`);
    }
  }
}

function failure(code: keyof typeof CNI_ERRORS, msg: string, details = ""): ExecutableReply {
  const body: CniError = { cniVersion: version(), code: CNI_ERRORS[code], msg, ...(details === "" ? {} : { details }) };
  return { exit: 1, output: JSON.stringify(body) };
}

function config(): { readonly cniVersion?: unknown; readonly ipam?: { readonly type?: unknown } | null } {
  try {
    return JSON.parse(text) ?? {};
  } catch {
    return {};
  }
}

function version(): string {
  const { cniVersion } = config();
  return CNI_VERSIONS.find((one) => one === cniVersion) ?? CNI_LATEST;
}

function ipamType(): string {
  const type = config().ipam?.type;
  return typeof type === "string" ? type : "";
}
