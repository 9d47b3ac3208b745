/**
 * Records what real workers say, for the fuzzer's corpus: `node build/test/fuzz/record.js` writes test/fuzz/corpus/frames.json.
 * To be run again when the protocol changes: fuzz.test says so.
 */
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { MessagePort } from "node:worker_threads";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import { startHost } from "#dist/host/plugin-host.js";
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { SILENT } from "../kit/logger.js";
import { type Conversation, RECORDING } from "./corpus.js";

const METHODS = "config() {}, deleteNetwork() {}, deleteEndpoint() {}, leave() {},";

/** By what each does: a plugin per conversation. */
const PLUGINS: Readonly<Record<string, string>> = {
  busy: `
    export async function init(callback, { log, store, netlink }) {
      log("info", "begins", { at: 1, ok: true, none: null });
      console.warn("two words", { a: [1] });
      const refused = [];
      const attempt = async (name, work) => { try { await work(); } catch (error) { refused.push(name + error.code); } };
      await attempt("get ", () => store.get("k"));
      await store.set("k", { a: [1, "x", null] });
      await attempt("cas ", () => store.compareAndSet("k", null, 1));
      await store.keys("k");
      await store.delete("k");
      await netlink.createLink({ kind: "bridge", name: "bh-0", mtu: 1400 });
      await netlink.createLink({ kind: "veth", name: "bh-1", peer: "bh-2" });
      await netlink.setLink("bh-1", { up: true, master: "bh-0" });
      await netlink.addAddress("bh-0", "10.64.0.1/24");
      await attempt("route ", () => netlink.addRoute({ destination: "10.65.0.0/24", via: "10.64.0.2", dev: "bh-0" }));
      await netlink.links();
      await netlink.deleteLink("bh-0");
      await callback.registerDriver("busy", {
        type: () => "busy", ${METHODS}
        createNetwork(nid, options) { if (options.fail) throw Object.assign(new Error("no such thing"), { kind: "NotFound", code: "ERR_NETWORK_NOT_FOUND" }); },
        createEndpoint(nid, eid, info) {
          if (info.interfaces().length > 0) return;
          info.addInterface(0, "02:42:0a:4d:00:02", "10.77.0.2/16", "fd77::2/64");
          info.addInterface(1, "", "10.77.1.2/16", "");
        },
        endpointOperInfo: (nid, eid) => ({ nid, eid, mac: "02:42:0a:4d:00:02", mtu: 1500, peers: [{ a: null }, 0.5], up: true }),
        join(nid, eid, box, join) {
          for (const one of join.interfaceNames()) one.setNames("bh-" + one.id(), "eth");
          join.setGateway("10.77.0.1");
          join.setGatewayIPv6("fd77::1");
          join.addStaticRoute("10.78.0.0/16", 0, "10.77.0.1", 0);
          join.addStaticRoute("10.79.0.0/24", 1, "", 1);
        },
        programExternalConnectivity() {}, revokeExternalConnectivity() {},
      }, { scope: "local" });
      try { await callback.registerDriver("a.b", {}, { scope: "local" }); } catch {}
    }`,
  fails: `export async function init() { await null; throw new TypeError("init fails\\n\\u202eon purpose"); }`,
  unready: "throw new RangeError('at load');",
  nothing: "export const init = 1;",
  crashes: `
    export async function init(callback) {
      await callback.registerDriver("crashes", {
        type: () => "crashes", ${METHODS}
        createNetwork() { setTimeout(() => { throw new Error("stray"); }, 1); return new Promise(() => {}); },
        createEndpoint() {}, endpointOperInfo: () => ({}), join() {},
      }, { scope: "local" });
    }`,
};

const spoken = new Map<MessagePort, string[]>();
const { on } = MessagePort.prototype;
MessagePort.prototype.on = function (this: MessagePort, name: string, listener: (...args: unknown[]) => void) {
  if (name !== "message") return on.call(this, name, listener);
  return on.call(this, name, (data: unknown) => {
    if (typeof data === "string" && /^[0-9a-f]{8}\[/.test(data)) {
      const frames = spoken.get(this) ?? [];
      spoken.set(this, frames);
      frames.push(`00000001${data.slice(8)}`);
    }
    listener(data);
  });
} as typeof on;

const folder = await mkdtemp(join(tmpdir(), "bulkhead-record-"));
const netlink = { kinds: ["bridge", "veth"], prefix: "bh", subnets: ["10.64.0.0/16", "10.77.0.0/16", "fd77::/64"] };
const plugins = Object.fromEntries(
  Object.keys(PLUGINS).map((id) => [id, { grant: { ...(id === "busy" ? { netlink } : {}) } }]),
);
await writeFile(join(folder, "busy.plugin.json"), JSON.stringify({ permissions: { log: true, store: true, netlink } }));
for (const [id, code] of Object.entries(PLUGINS)) await writeFile(join(folder, `${id}.js`), code);
const quiet = (): void => {};
const logger = { ...SILENT, error: (_: object, text: string) => console.log(text) };
// All in this process's own threads, where their ports can be listened to.
const host = await startHost(
  { plugins: folder, policy: { plugins } as never, isolation: "thread", backend: "model", logger },
  { threads: new ThreadLauncher() },
);
const driver = host.driver("busy");
await driver.createNetwork("n", { "com.docker.network.driver.mtu": 1500 });
await driver.createNetwork("bad", { fail: true }).catch(quiet);
await driver.createEndpoint("n", "e", new EndpointConfig());
await driver.endpointOperInfo("n", "e");
await driver.join("n", "e", "box", new JoinConfig());
await driver.leave("n", "e");
await driver.deleteEndpoint("n", "e");
await driver.createEndpoint("n", "given", new EndpointConfig([{ id: 1, ipv4: "10.77.3.4/16" }]));
await driver.join("n", "given", "box", new JoinConfig([1]));
await host.driver("crashes").createNetwork("n").catch(quiet);
await host.close();
await rm(folder, { recursive: true, force: true });

const conversations: Conversation[] = [...spoken.values()]
  .filter((frames) => frames.length > 1)
  .map((frames, at) => ({ what: `worker ${at + 1}`, frames: [...new Set(frames)] }));
await mkdir(dirname(RECORDING), { recursive: true });
const text = JSON.stringify(conversations, undefined, 2);
const visible = text.replace(/[^ -~\n]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, "0")}`);
await writeFile(RECORDING, `${visible}\n`);
console.log(`${conversations.length} conversations, ${conversations.flatMap(({ frames }) => frames).length} frames`);
