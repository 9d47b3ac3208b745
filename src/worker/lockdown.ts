/** Hardens the worker's realm with SES, with every option explicit, and keeps what only the realm may have. */
import "./language-level.js";
import "ses";

declare const Compartment: new (options: Record<string, unknown>) => SandboxCompartment;
declare const harden: <T>(value: T) => T;
declare const lockdown: (options: Record<string, unknown>) => void;

/** The part of SES's compartment that is used here. */
export interface SandboxCompartment {
  readonly globalThis: Record<string, unknown>;
  evaluate(source: string): unknown;
}

/** What lockdown leaves to the bootstrap. */
export interface Realm {
  readonly Compartment: new (options: Record<string, unknown>) => SandboxCompartment;
  readonly harden: <T>(value: T) => T;
  /** Returns an error's stack, which plugin code cannot read. */
  readonly stackOf: (error: unknown) => string;
}

/** Locks the realm down. Called once per worker, before any plugin data arrives. */
export function lockdownRealm(): Realm {
  lockdown({
    errorTaming: "safe",
    errorTrapping: "none",
    unhandledRejectionTrapping: "none",
    reporting: "none",
    regExpTaming: "safe",
    localeTaming: "safe",
    consoleTaming: "unsafe",
    overrideTaming: "severe",
    overrideDebug: [],
    stackFiltering: "concise",
    domainTaming: "safe",
    evalTaming: "safe-eval",
    legacyRegeneratorRuntimeTaming: "safe",
    __hardenTaming__: "safe",
  });
  const start = globalThis as { getStackString?: (error: unknown) => string };
  const getStackString = start.getStackString;
  delete start.getStackString;
  return {
    Compartment,
    harden,
    stackOf: (error) => {
      try {
        return getStackString?.(error) ?? "";
      } catch {
        return "";
      }
    },
  };
}
