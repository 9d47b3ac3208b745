/** Identifiers made of ids of any length, the same after every restart. Not for secrets. */

const MASK = (1n << 64n) - 1n;

/** Hashes a text to 64 bits: FNV-1a, then murmur's finalizer, so that every bit depends on the whole text. */
export function hash64(text: string): bigint {
  let hash = 0xcbf29ce484222325n;
  for (let index = 0; index < text.length; index++) {
    hash = ((hash ^ BigInt(text.charCodeAt(index))) * 0x100000001b3n) & MASK;
  }
  hash = ((hash ^ (hash >> 33n)) * 0xff51afd7ed558ccdn) & MASK;
  hash = ((hash ^ (hash >> 33n)) * 0xc4ceb9fe1a85ec53n) & MASK;
  return hash ^ (hash >> 33n);
}

/** Returns a text that identifies an endpoint among those of all networks. */
export function endpointKey(nid: string, eid: string): string {
  return `${nid.length}:${nid}${eid}`;
}

/** Returns a short text that can be part of a key of `powers.store`, for a text of any length. */
export function storeKey(text: string): string {
  return `${hash64(`a${text}`).toString(16)}${hash64(`b${text}`).toString(16)}`;
}
