/** The token, as a key that signs requests. The browser keeps the key, and no script can read the token from it. */

const ALGORITHM = { name: "HMAC", hash: "SHA-256" };
const STORE = "keys";
const NAME = "token";

/** Requests at the same time share one reading. */
let loading: Promise<CryptoKey | undefined> | undefined;

/** Loads the key: from the token in the address, which then goes from it, or from an earlier visit. */
export function loadKey(): Promise<CryptoKey | undefined> {
  const given = location.hash.slice(1);
  if (given !== "") {
    history.replaceState(null, "", location.pathname);
    return keepToken(given);
  }
  loading ??= stored();
  return loading;
}

/** Makes a key of a token, and keeps it. */
export function keepToken(token: string): Promise<CryptoKey> {
  const kept = keep(token);
  loading = kept;
  return kept;
}

async function keep(token: string): Promise<CryptoKey> {
  const key = await crypto.subtle.importKey("raw", new TextEncoder().encode(token), ALGORITHM, false, ["sign"]);
  const database = await open();
  await done(database.transaction(STORE, "readwrite").objectStore(STORE).put(key, NAME));
  return key;
}

/** Returns the `authorization` header of a request. */
export async function signed(key: CryptoKey, method: string, path: string): Promise<string> {
  const once = `${Date.now()}.${base64url(crypto.getRandomValues(new Uint8Array(16)))}`;
  const mac = await crypto.subtle.sign("HMAC", key, new TextEncoder().encode(`${once} ${method} ${path}`));
  return `Bulkhead ${once}.${base64url(new Uint8Array(mac))}`;
}

async function stored(): Promise<CryptoKey | undefined> {
  const database = await open();
  return done<CryptoKey | undefined>(database.transaction(STORE).objectStore(STORE).get(NAME));
}

function open(): Promise<IDBDatabase> {
  const request = indexedDB.open("bulkhead", 1);
  request.addEventListener("upgradeneeded", () => request.result.createObjectStore(STORE));
  return done(request);
}

function done<T>(request: IDBRequest<T>): Promise<T> {
  return new Promise((resolve, reject) => {
    request.addEventListener("success", () => resolve(request.result));
    request.addEventListener("error", () => reject(request.error));
  });
}

function base64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes))
    .replaceAll("+", "-")
    .replaceAll("/", "_")
    .replaceAll("=", "");
}
