/** The text and URL helpers every plugin has, whatever it was granted: they compute, and reach nothing. */
import type { Endowment } from "../permission.js";
import { kindOf, wrongArgument } from "../refusal.js";
import { structuredClone } from "./clone.js";
import { TextDecoder, TextEncoder } from "./encoding.js";
import { URL, URLSearchParams } from "./url.js";

/** Node's own, taken when the realm starts. */
const later = globalThis.queueMicrotask;

/** `callback` runs without `this` or arguments; what it throws is uncaught, and so the plugin's crash. */
const queueMicrotask = (callback: unknown): void => {
  if (typeof callback !== "function") throw wrongArgument(`queueMicrotask takes a function, not ${kindOf(callback)}`);
  later(() => {
    Reflect.apply(callback, undefined, []);
  });
};

/** Globals `TextEncoder`, `TextDecoder`, `URL`, `URLSearchParams`, `queueMicrotask`, `structuredClone`. */
export function endow(): Endowment {
  return { globals: { TextEncoder, TextDecoder, URL, URLSearchParams, queueMicrotask, structuredClone } };
}
