/** TextEncoder and TextDecoder over Node's, whose objects stay in private fields and whose prototypes stay out of reach. */
import { TextDecoder as NativeDecoder, TextEncoder as NativeEncoder, types } from "node:util";
import { GLOBALS } from "../limits.js";
import { kindOf, overLimit, textOf, wrongArgument } from "../refusal.js";

const encoder = new NativeEncoder();

/** As in the Encoding standard, UTF-8. At most 16 Mi characters a call (`ERR_PERMISSION_LIMIT`). */
export class TextEncoder {
  get encoding(): string {
    return "utf-8";
  }

  encode(input: unknown = ""): Uint8Array {
    return encoder.encode(textOf(input, "TextEncoder.encode: the text", GLOBALS.textChars));
  }

  encodeInto(source: unknown, destination: unknown): { read: number; written: number } {
    const text = textOf(source, "TextEncoder.encodeInto: the text", GLOBALS.textChars);
    if (!types.isUint8Array(destination)) {
      throw wrongArgument(`TextEncoder.encodeInto: the destination must be a Uint8Array, not ${kindOf(destination)}`);
    }
    const { read, written } = encoder.encodeInto(text, bytesOf("TextEncoder.encodeInto", destination));
    return { read, written };
  }

  get [Symbol.toStringTag](): string {
    return "TextEncoder";
  }
}

/** As in the Encoding standard. An unknown label, or malformed bytes with `fatal`, is `ERR_PERMISSION_ARGUMENT`. */
export class TextDecoder {
  readonly #native: NativeDecoder;

  constructor(label: unknown = "utf-8", options: unknown = undefined) {
    const name = textOf(label, "TextDecoder: the label", 64);
    const fatal = flag(options, "fatal");
    const ignoreBOM = flag(options, "ignoreBOM");
    try {
      this.#native = new NativeDecoder(name, { fatal, ignoreBOM });
    } catch {
      throw wrongArgument(`TextDecoder: the encoding ${JSON.stringify(name)} is not known; "utf-8" is`);
    }
  }

  get encoding(): string {
    return this.#native.encoding;
  }

  get fatal(): boolean {
    return this.#native.fatal;
  }

  get ignoreBOM(): boolean {
    return this.#native.ignoreBOM;
  }

  decode(input: unknown = undefined, options: unknown = undefined): string {
    const native = this.#native;
    const stream = flag(options, "stream");
    const bytes = input === undefined ? new Uint8Array(0) : bytesOf("TextDecoder.decode", input);
    if (bytes.byteLength > GLOBALS.textChars) {
      throw overLimit(`TextDecoder.decode: ${bytes.byteLength} bytes given; at most ${GLOBALS.textChars} are taken`);
    }
    try {
      return native.decode(bytes, { stream });
    } catch {
      throw wrongArgument(`TextDecoder.decode: the bytes are not valid ${native.encoding}`);
    }
  }

  get [Symbol.toStringTag](): string {
    return "TextDecoder";
  }
}

/** Reads a boolean option; only an own data property counts, so no getter runs. */
function flag(options: unknown, name: string): boolean {
  if (options === undefined || options === null) return false;
  if (typeof options !== "object" || types.isProxy(options))
    throw wrongArgument(`the options must be a plain object, not ${kindOf(options)}`);
  return Boolean(Reflect.getOwnPropertyDescriptor(options, name)?.value);
}

const typedArray = Reflect.getPrototypeOf(Uint8Array.prototype) ?? {};

/** Returns a new view of the bytes of a buffer or view: a plugin's view may lie about its length. */
export function bytesOf(what: string, value: unknown): Uint8Array {
  if (types.isArrayBuffer(value)) return view(value, 0, Number(slot(ArrayBuffer.prototype, "byteLength", value)));
  if (ArrayBuffer.isView(value)) {
    const prototype = types.isDataView(value) ? DataView.prototype : typedArray;
    const buffer = slot(prototype, "buffer", value);
    if (types.isArrayBuffer(buffer)) {
      return view(buffer, Number(slot(prototype, "byteOffset", value)), Number(slot(prototype, "byteLength", value)));
    }
  }
  throw wrongArgument(`${what}: the bytes must be an ArrayBuffer or a view of one, not ${kindOf(value)}`);

  function view(buffer: ArrayBuffer, offset: number, length: number): Uint8Array {
    try {
      return new Uint8Array(buffer, offset, length);
    } catch {
      throw wrongArgument(`${what}: the buffer is detached`);
    }
  }
}

function slot(prototype: object, name: string, value: object): unknown {
  const getter = Reflect.getOwnPropertyDescriptor(prototype, name)?.get;
  try {
    return getter === undefined ? undefined : Reflect.apply(getter, value, []);
  } catch {
    return undefined;
  }
}
