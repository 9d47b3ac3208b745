/** The pure part of `node:crypto`: hashes, HMAC, key derivation and comparison. Random bytes come from the grant's `crypto`. */

import { hkdf } from "@noble/hashes/hkdf.js";
import { hmac as hmacOf } from "@noble/hashes/hmac.js";
import { md5, ripemd160, sha1 } from "@noble/hashes/legacy.js";
import { pbkdf2 as pbkdf2Of } from "@noble/hashes/pbkdf2.js";
import { scrypt as scryptOf } from "@noble/hashes/scrypt.js";
import { sha224, sha256, sha384, sha512, sha512_256 } from "@noble/hashes/sha2.js";
import { sha3_256, sha3_384, sha3_512 } from "@noble/hashes/sha3.js";

/** The part of `node:buffer`'s copy that is used here. */
interface BufferMaker {
  from(data: unknown, encoding?: unknown): Uint8Array & { toString(encoding?: string): string };
}

/** Set by the built file, which has the copy of `node:buffer`. */
declare const Buffer: BufferMaker;

const HASHES = {
  md5,
  sha1,
  ripemd160,
  rmd160: ripemd160,
  sha224,
  sha256,
  sha384,
  sha512,
  "sha512-256": sha512_256,
  "sha3-256": sha3_256,
  "sha3-384": sha3_384,
  "sha3-512": sha3_512,
} as const;

type AnyHash = typeof sha256;

function hashNamed(name: unknown): AnyHash {
  const key = String(name)
    .toLowerCase()
    .replace(/^rsa-/, "")
    .replace(/^sha-(?=\d)/, "sha");
  if (!Object.hasOwn(HASHES, key)) throw new Error(`Digest method not supported: ${String(name)}`);
  return HASHES[key as keyof typeof HASHES] as AnyHash;
}

function bytesOf(data: unknown, encoding?: unknown): Uint8Array {
  if (typeof data === "string") return plain(Buffer.from(data, encoding ?? "utf8"));
  if (data instanceof Uint8Array) return plain(data);
  if (ArrayBuffer.isView(data)) return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError('The "data" argument must be of type string or an instance of Buffer, TypedArray, or DataView');
}

function plain(bytes: Uint8Array): Uint8Array {
  return new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** Returns bytes as Node does: a Buffer, or text in an encoding. */
function given(bytes: Uint8Array, encoding?: unknown): unknown {
  const buffer = Buffer.from(bytes);
  return encoding === undefined || encoding === "buffer" ? buffer : buffer.toString(String(encoding));
}

interface Running {
  update(data: Uint8Array): unknown;
  digest(): Uint8Array;
  clone?(): Running;
}

/** The object that `createHash` and `createHmac` return: `update`, `digest`, and `copy` of a hash. */
class Digest {
  #running: Running | undefined;

  constructor(running: Running) {
    this.#running = running;
  }

  update(data: unknown, encoding?: unknown): this {
    this.#open().update(bytesOf(data, encoding));
    return this;
  }

  digest(encoding?: unknown): unknown {
    const bytes = this.#open().digest();
    this.#running = undefined;
    return given(bytes, encoding);
  }

  copy(): Digest {
    const copied = this.#open().clone?.();
    if (copied === undefined) throw new Error("copy() is not to be had here");
    return new Digest(copied);
  }

  #open(): Running {
    if (this.#running === undefined)
      throw Object.assign(new Error("Digest already called"), { code: "ERR_CRYPTO_HASH_FINALIZED" });
    return this.#running;
  }
}

export function createHash(name: unknown): Digest {
  return new Digest(hashNamed(name).create() as unknown as Running);
}

export function createHmac(name: unknown, key: unknown): Digest {
  return new Digest(hmacOf.create(hashNamed(name), bytesOf(key)) as unknown as Running);
}

/** One-shot, as of Node 21. */
export function hash(name: unknown, data: unknown, encoding: unknown = "hex"): unknown {
  return createHash(name).update(data).digest(encoding);
}

export function getHashes(): string[] {
  return Object.keys(HASHES);
}

export function timingSafeEqual(a: unknown, b: unknown): boolean {
  const [left, right] = [bytesOf(a), bytesOf(b)];
  if (left.length !== right.length) throw new RangeError("Input buffers must have the same byte length");
  let differ = 0;
  for (let index = 0; index < left.length; index++) differ |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return differ === 0;
}

export function pbkdf2Sync(
  password: unknown,
  salt: unknown,
  iterations: number,
  length: number,
  name: unknown,
): unknown {
  return given(pbkdf2Of(hashNamed(name), bytesOf(password), bytesOf(salt), { c: iterations, dkLen: length }));
}

export function hkdfSync(name: unknown, key: unknown, salt: unknown, info: unknown, length: number): ArrayBuffer {
  return hkdf(hashNamed(name), bytesOf(key), bytesOf(salt), bytesOf(info), length).slice().buffer as ArrayBuffer;
}

interface ScryptCost {
  readonly N?: number;
  readonly cost?: number;
  readonly r?: number;
  readonly blockSize?: number;
  readonly p?: number;
  readonly parallelization?: number;
}

export function scryptSync(password: unknown, salt: unknown, length: number, cost: ScryptCost = {}): unknown {
  const N = cost.N ?? cost.cost ?? 16_384;
  const r = cost.r ?? cost.blockSize ?? 8;
  const p = cost.p ?? cost.parallelization ?? 1;
  return given(scryptOf(bytesOf(password), bytesOf(salt), { N, r, p, dkLen: length }));
}

interface RandomSource {
  getRandomValues<T extends ArrayBufferView>(view: T): T;
  randomUUID(): string;
}

function source(): RandomSource {
  const found = (globalThis as { readonly crypto?: RandomSource }).crypto;
  if (found === undefined)
    throw new Error('random bytes are not granted: ask for "random" under "permissions" in the manifest');
  return found;
}

/** Most bytes per call of `getRandomValues`. */
const MOST = 65_536;

function fill(bytes: Uint8Array): Uint8Array {
  for (let at = 0; at < bytes.length; at += MOST) source().getRandomValues(bytes.subarray(at, at + MOST));
  return bytes;
}

type Callback = (error: unknown, value?: unknown) => void;

function answered(make: () => unknown, callback: unknown): unknown {
  const value = make();
  if (typeof callback !== "function") return value;
  void Promise.resolve().then(() => (callback as Callback)(null, value));
  return undefined;
}

export function randomBytes(size: number, callback?: unknown): unknown {
  return answered(() => Buffer.from(fill(new Uint8Array(size))), callback);
}

export function randomFillSync<T extends ArrayBufferView>(view: T, offset = 0, size?: number): T {
  const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
  fill(bytes.subarray(offset, size === undefined ? undefined : offset + size));
  return view;
}

export function randomUUID(): string {
  return source().randomUUID();
}

export function getRandomValues<T extends ArrayBufferView>(view: T): T {
  return source().getRandomValues(view);
}

export function randomInt(first: number, second?: unknown, callback?: unknown): unknown {
  const [low, high, done] = typeof second === "number" ? [first, second, callback] : [0, first, second];
  const range = high - low;
  if (!Number.isSafeInteger(low) || !Number.isSafeInteger(high) || range <= 0 || range > 2 ** 48)
    throw new RangeError(`randomInt: ${low} to ${high} is not a range of at most 2 ** 48 whole numbers`);
  const limit = 2 ** 48 - (2 ** 48 % range);
  return answered(() => {
    for (;;) {
      const draw = fill(new Uint8Array(6)).reduce((sum, byte) => sum * 256 + byte, 0);
      if (draw < limit) return low + (draw % range);
    }
  }, done);
}

function absent(name: string): () => never {
  return () => {
    throw new Error(`crypto.${name} is not among what the sandbox keeps of node:crypto: hashes, HMAC, key derivation`);
  };
}

export const createCipheriv: () => never = absent("createCipheriv");
export const createDecipheriv: () => never = absent("createDecipheriv");
export const createSign: () => never = absent("createSign");
export const createVerify: () => never = absent("createVerify");
export const createDiffieHellman: () => never = absent("createDiffieHellman");
export const createECDH: () => never = absent("createECDH");
export const generateKeyPairSync: () => never = absent("generateKeyPairSync");

/** The grant's `crypto`, if any; without `subtle`. */
export const webcrypto: unknown = (globalThis as { readonly crypto?: unknown }).crypto;
