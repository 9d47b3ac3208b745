/** Past the ports: what an attacker who owns a worker's realm does to the process it lives in. See fixtures/owned/realm.cjs. */

export interface RealmCase {
  readonly item: number;
  readonly title: string;
  readonly attack: Readonly<Record<string, unknown>>;
  /** It costs the worker at least; the others, signals of process 1 to itself, have no effect. */
  readonly ends: boolean;
  /** Under "thread" it ends the platform, by this signal: SECURITY.md names it. Those without are tried behind the wall alone. */
  readonly thread?: NodeJS.Signals;
}

const forging = (title: string, name: string, more: object = {}): RealmCase => ({
  item: 48,
  title,
  ends: true,
  attack: { name, ...more },
});
const descriptor = (title: string, name: string): RealmCase => ({ item: 50, title, ends: true, attack: { name } });
const ending = (title: string, name: string, ends: boolean, thread?: NodeJS.Signals): RealmCase => ({
  item: 35,
  title,
  ends,
  attack: { name },
  ...(thread ? { thread } : {}),
});

/** On the streams of other workers, which exist only in a shared host process. */
export const STREAMS: readonly RealmCase[] = [
  forging("every route's reply, written to the other workers' streams", "slotReplies"),
  forging("every route's store request, written to the other workers' streams", "slotRequests"),
  descriptor("garbage on the other workers' streams", "slotGarbage"),
  descriptor("256 MiB on each of the other workers' streams", "slotFlood"),
  descriptor("reading what the platform sends to the other workers", "slotRead"),
  descriptor("reading the other workers' streams faster than they do", "slotSpin"),
  descriptor("sockets of its own on the other workers' streams", "slotSocket"),
  descriptor("shutting down the other workers' streams", "slotShutdown"),
  descriptor("closing the other workers' streams", "slotClose"),
  descriptor("garbage on a stream that no worker has yet", "spareGarbage"),
  descriptor("closing streams that no worker has yet", "spareClose"),
];

export const REALM: readonly RealmCase[] = [
  forging("every route's reply, on its own port", "portForged", { message: "reply" }),
  forging("every route's store request, on its own port", "portForged", { message: "store" }),
  forging("a control message, on its own port", "portControl"),
  forging("every route's reply, written to descriptor 3", "fdReplies"),
  forging("every route's store request, written to descriptor 3", "fdRequests"),
  forging("control messages, written to descriptor 3", "fdControl"),
  descriptor("garbage on descriptor 3", "fdGarbage"),
  descriptor("a frame of 4 GiB announced on descriptor 3", "fdLength"),
  descriptor("256 MiB on descriptor 3", "fdFlood"),
  descriptor("a socket of its own on descriptor 3", "fdSocket"),
  descriptor("reading what the platform sends from descriptor 3", "fdRead"),
  descriptor("closing descriptor 3", "fdClose"),
  descriptor("closing every descriptor", "fdCloseAll"),
  forging("every route's reply, on its own stream", "ownRoutes"),
  descriptor("garbage on its own stream", "ownGarbage"),
  descriptor("a frame of 4 GiB announced on its own stream", "ownLength"),
  descriptor("closing its own stream", "ownClose"),
  descriptor("last words on descriptor 2, forged", "lastWords"),
  ending("SIGKILL to its process", "killSelf", false, "SIGKILL"),
  ending("every deadly signal to its process", "strikeSelf", false),
  ending("every deadly signal to process 1", "strikeInit", false),
  ending("every deadly signal to its parent", "strikeParent", false),
  ending("every deadly signal to all there are", "strikeAll", false),
  ending("process.abort, and V8's own", "abort", true, "SIGABRT"),
  ending("process.exit", "exit", true),
  ending("process.reallyExit", "reallyExit", true),
];
