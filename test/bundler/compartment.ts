/** Evaluates bundles as a worker does. Locks down the process that imports it: import it last. */
import "ses";
import type { Bundle } from "#dist/bundler/bundle.js";
import { PLUGIN_GLOBAL } from "#dist/protocol/bundle-global.js";

lockdown({
  overrideTaming: "severe",
  errorTaming: "safe",
  stackFiltering: "concise",
  consoleTaming: "unsafe",
  errorTrapping: "none",
  unhandledRejectionTrapping: "none",
  localeTaming: "unsafe",
});

/** The exports of a bundled plugin, evaluated in a compartment of its own, strictly and within a function. */
export function evaluate(
  bundled: Pick<Bundle, "code">,
  globals: Record<string, unknown> = {},
): Record<string, unknown> {
  const compartment = new Compartment(globals);
  return compartment.evaluate(`(function(){${bundled.code}\nreturn ${PLUGIN_GLOBAL};})()`);
}

/** Whether SES takes a script at all. */
export function accepts(code: string): boolean {
  try {
    new Compartment().evaluate(code);
    return true;
  } catch (error) {
    if (/rejected/.test(String(error))) return false;
    throw error;
  }
}
