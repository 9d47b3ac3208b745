/** Hints for errors caused by something the sandbox lacks: what to use instead. */
import { SOURCE_URL } from "./source-url.js";

const asks = (permission: string): string => `ask for "${permission}" under "permissions" in the manifest`;

const NO_NETWORK =
  'a plugin opens no connections; the permissions "netlink", "firewall", "traffic" and "resolver" are what reaches the network';
const TIMERS = asks("timers");
const STORE = `${asks("store")}, for powers.store`;
const IMPORT = 'write "import" at the top of the file; packages are bundled from the plugin\'s node_modules';
const NO_PAGE = "a plugin does not run in a browser";

/** By name; each value completes "the sandbox has no NAME: …". */
const INSTEAD: ReadonlyMap<string, string> = new Map(
  Object.entries({
    fetch: NO_NETWORK,
    XMLHttpRequest: NO_NETWORK,
    WebSocket: NO_NETWORK,
    EventSource: NO_NETWORK,
    process: "what an operator configures comes with config(options), and a network's options with createNetwork",
    require: IMPORT,
    module: IMPORT,
    __dirname: "a plugin's files are bundled into one script; import what it needs, JSON files too",
    __filename: "a plugin's files are bundled into one script; import what it needs, JSON files too",
    Buffer: "use Uint8Array, with TextEncoder and TextDecoder",
    setTimeout: TIMERS,
    setInterval: TIMERS,
    clearTimeout: TIMERS,
    clearInterval: TIMERS,
    setImmediate: `use queueMicrotask, or setTimeout: ${TIMERS}`,
    console: asks("log"),
    performance: `use Date.now(): ${asks("clock")}`,
    crypto: `${asks("random")}, for powers.random.bytes(n)`,
    localStorage: STORE,
    sessionStorage: STORE,
    indexedDB: STORE,
    window: NO_PAGE,
    document: NO_PAGE,
    navigator: NO_PAGE,
    Worker: "a plugin has one worker, the one it runs in",
    WebAssembly: "use JavaScript",
    "powers.log": asks("log"),
    "powers.random": asks("random"),
    "powers.store": asks("store"),
    "powers.netlink": asks("netlink"),
    "powers.firewall": asks("firewall"),
    "powers.resolver": asks("resolver"),
    "powers.traffic": asks("traffic"),
    "powers.cluster": asks("cluster"),
  }),
);

/** Returns what to use instead of a name that the sandbox lacks; undefined if it is not a name that authors expect. */
export function insteadOf(name: string): string | undefined {
  return INSTEAD.get(name);
}

/** The methods that `log` gives the global `console`. */
const CONSOLE = "log, info, warn, error, debug, trace and assert";

/** How SES words the refusals of its tamed Date and Math. */
const TAMED: readonly (readonly [says: RegExp, what: string, permission: string])[] = [
  [/%SharedDate%/, "clock", "clock"],
  [/%SharedMath%\.random/, "random numbers", "random"],
];

/** Longest name looked for before a position. */
const NAME_CHARS = 64;

/**
 * Returns a hint for an error with this name, message and stack; undefined if the error is about something else. `code` is
 * the bundle, whose first line is line `1 + headerLines` of the stack.
 */
export function absenceHint(
  { name, message, stack }: { readonly name: string; readonly message: string; readonly stack: string },
  code: string,
  headerLines: number,
): string | undefined {
  const tamed = TAMED.find(([says]) => message.startsWith("secure mode ") && says.test(message));
  if (tamed) return `the sandbox has no ${tamed[1]} unless it is granted: ${asks(tamed[2])}`;
  if (message.startsWith("Dynamic require of ")) return `the sandbox has no require: ${IMPORT}`;
  if (name !== "ReferenceError" && name !== "TypeError") return undefined;
  const wanted =
    /^(?:globalThis\.)?([\w$.]{1,64}) is not (?:defined(?: in the sandbox)?|a function|a constructor)$/.exec(
      message,
    )?.[1] ??
    (/^Cannot (?:read|set) properties of undefined /.test(message) ? nameAt(stack, code, headerLines) : undefined);
  const method = /^console\.(\w+)$/.exec(wanted ?? "")?.[1];
  if (method !== undefined) return `the sandbox's console has no ${method}: it has ${CONSOLE}`;
  const instead = wanted === undefined ? undefined : INSTEAD.get(wanted);
  if (wanted === undefined || instead === undefined) return undefined;
  return wanted.startsWith("powers.")
    ? `${wanted} is not granted: ${instead}`
    : `the sandbox has no ${wanted}: ${instead}`;
}

/** Returns the name before the position of the stack's first frame: `process` for the `env` of `process.env`. */
function nameAt(stack: string, code: string, headerLines: number): string | undefined {
  const frame = /^\s*at .*$/m.exec(stack)?.[0] ?? "";
  const [, line, column] = new RegExp(`${SOURCE_URL}:(\\d+):(\\d+)`).exec(frame) ?? [];
  if (line === undefined) return undefined;
  let start = 0;
  for (let n = Number(line) - headerLines; n > 1; n--) {
    start = code.indexOf("\n", start) + 1;
    if (start === 0) return undefined;
  }
  const at = start + Number(column) - 1;
  return /((?:powers\s*\.\s*)?[\w$]+)\s*\.\s*$/.exec(code.slice(Math.max(start, at - NAME_CHARS), at))?.[1];
}
