/** The text and URL globals that every plugin has, whatever its grant: they only compute, and reach nothing outside. */
import type { Endowment } from "../permission.js";
import { kindOf, wrongArgument } from "../refusal.js";
import { AbortController, AbortSignal, DOMException, Event, EventTarget } from "./abort.js";
import { atob, btoa } from "./base64.js";
import { cloneWith } from "./clone.js";
import { TextDecoder, TextEncoder } from "./encoding.js";
import { URL, URLSearchParams } from "./url.js";

/** Node's function, read when the realm starts. */
const later = globalThis.queueMicrotask;

/** Runs `callback` without `this` or arguments. An error that it throws is uncaught, and so crashes the plugin. */
const queueMicrotask = (callback: unknown): void => {
  if (typeof callback !== "function") throw wrongArgument(`queueMicrotask takes a function, not ${kindOf(callback)}`);
  later(() => {
    Reflect.apply(callback, undefined, []);
  });
};

/**
 * SES omits these two, since the bits of a NaN may differ between engines; a DataView shows the same, and libraries that encode numbers
 * need them. They are the realm's frozen intrinsics.
 */
const floats = { Float32Array, Float64Array };

/**
 * Globals `TextEncoder`, `TextDecoder`, `URL`, `URLSearchParams`, `queueMicrotask`, `structuredClone`, `atob`, `btoa`, `Event`,
 * `EventTarget`, `AbortController`, `AbortSignal`, `DOMException`, `Float32Array`, `Float64Array`. `makeDate`: the plugin's Date, if
 * it has one, so that cloned dates are of the same class.
 */
export function endow(makeDate: unknown = undefined): Endowment {
  const structuredClone = cloneWith(typeof makeDate === "function" ? (makeDate as new (time: number) => object) : Date);
  return {
    globals: {
      TextEncoder,
      TextDecoder,
      URL,
      URLSearchParams,
      queueMicrotask,
      structuredClone,
      atob: (data: unknown): string => atob(data),
      btoa: (data: unknown): string => btoa(data),
      Event,
      EventTarget,
      AbortController,
      AbortSignal,
      DOMException,
      ...floats,
    },
  };
}
