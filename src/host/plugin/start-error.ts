/** Errors of a plugin that could not be started. */
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import { ThrownFailure } from "../../session/outcome.js";
import { framesOf, oneLine } from "../calls/errors.js";

const STAGES = {
  load: { code: "ERR_PLUGIN_LOAD", text: "its code threw while it was evaluated" },
  export: { code: "ERR_PLUGIN_NO_INIT", text: "it cannot start" },
  init: { code: "ERR_PLUGIN_INIT", text: "init threw" },
  protocol: { code: "ERR_PROTOCOL_VERSION", text: "its worker refused the handshake" },
} as const;

/** Returns the error for a worker whose start failed. `cause`: what `Session.start` rejected with. */
export function startError(plugin: string, cause: unknown): DriverError {
  if (!(cause instanceof ThrownFailure))
    return new DriverError("ERR_PLUGIN_START", `plugin "${plugin}" could not be started`, { plugin, cause });
  if (cause.thrown) {
    const { stage, error } = cause.thrown;
    const { code, text } = STAGES[stage];
    const { name, message, file, line } = error;
    return new DriverError(
      code,
      `plugin "${plugin}": ${text}: ${stage === "export" ? "" : `${oneLine(name)}: `}${oneLine(message)}${where(error)}`,
      { plugin, file: file && oneLine(file), line, pluginStack: framesOf(error)?.join("\n") },
    );
  }
  const end = cause.end;
  const code = end?.code === "ERR_PLUGIN_BLOCKED" ? "ERR_PLUGIN_INIT_TIMEOUT" : (end?.code ?? "ERR_PLUGIN_START");
  return new DriverError(code, `plugin "${plugin}" did not start: ${end?.reason ?? "its worker ended"}`, { plugin });
}

/** Returns any error of a start as a `DriverError`. */
export function toDriverError(error: unknown, plugin: string): DriverError {
  if (error instanceof DriverError) return error;
  const why = messageOf(error);
  return new DriverError("ERR_PLUGIN_START", `plugin "${plugin}" could not be started: ${why}`, {
    plugin,
    cause: error,
  });
}

/** Returns the place in the author's source, ` (FILE:LINE)`; "" if it is unknown. */
export function where({ file, line }: { readonly file?: string; readonly line?: number }): string {
  return file === undefined ? "" : ` (${oneLine(file)}:${line})`;
}
