/** The message for a plugin that does not export a function `init`. */

const WRITE = 'write "export async function init(callback, powers) { … }"';

/** Export names shown at most. */
const SHOWN = 5;

/** Describes what is exported instead. `exports` is the plugin's: if reading it throws, there is a default message. */
export function missingInitMessage(exports: unknown): string {
  try {
    return words(exports);
  } catch {
    return `it exports no function "init"; ${WRITE}`;
  }
}

function isClass(value: unknown): boolean {
  return typeof value === "function" && /^class\b/.test(Function.prototype.toString.call(value));
}

function words(exports: unknown): string {
  if (typeof exports === "function")
    return 'it exports no function "init": its module.exports is a function; write exports.init = …';
  const found = exports as { readonly init?: unknown; readonly default?: unknown } | null | undefined;
  const whole: unknown = found?.default;
  if (typeof whole === "function" || typeof (whole as { init?: unknown } | null | undefined)?.init === "function") {
    if (isClass(whole))
      return `it exports no function "init": its default export is a class; ${WRITE}, and register an instance of the class there`;
    const what = typeof whole === "function" ? "a function" : "an object that has it";
    return `it exports no function "init" by that name: its default export is ${what}; ${WRITE}, without "default"`;
  }
  const init: unknown = found?.init;
  if (init !== undefined) return `it exports no function "init": what it exports by that name is a ${typeof init}`;
  const names = Object.keys(found ?? {}).filter((name) => /^[\w$]{1,64}$/.test(name));
  const others = names.length === 0 ? "nor anything else" : `only ${names.slice(0, SHOWN).join(", ")}`;
  return `it exports no function "init", ${others}; ${WRITE}`;
}
