/** What is mutated: frames recorded from real workers (record.ts), the repository's own documents, and what our encoders make. */
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import type { ControlUp } from "#dist/isolation/control.js";
import { CONTROL_HEADER } from "#dist/isolation/host-frames.js";
import { decodeUp } from "#dist/protocol/frame.js";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const folder = join(root, "test/fuzz/corpus");
export const RECORDING: string = join(folder, "frames.json");

/** What one worker said, all its routes written 00000001. */
export interface Conversation {
  readonly what: string;
  readonly frames: readonly string[];
}

/** An input that once failed, and the target it failed at. */
export interface Regression {
  readonly target: string;
  /** What was wrong. */
  readonly why: string;
  readonly text?: string;
  /** In the place of `text`: bytes. */
  readonly base64?: string;
}

function readJson<T>(path: string): T {
  return JSON.parse(readFileSync(path, "utf8")) as T;
}

let conversations: readonly Conversation[] | undefined;

export function recorded(): readonly Conversation[] {
  conversations ??= readJson<Conversation[]>(RECORDING);
  return conversations;
}

/** One of those that differ in numbers and ids alone. */
export function distinct(texts: readonly string[]): string[] {
  const kinds = new Map(texts.map((text) => [text.replace(/[0-9a-f]{4,}|\d+/g, "0"), text]));
  return [...kinds.values()];
}

export function regressions(): readonly Regression[] {
  return readJson(join(folder, "regressions.json"));
}

/** The values of all replies in `from`, and what a driver may fill in at most, as JSON. */
export function repliesOf(from: readonly Conversation[]): string[] {
  const texts = from
    .flatMap(({ frames }) => frames)
    .flatMap((frame) => decodeUp(frame.slice(0, 8), frame).messages)
    .flatMap((message) => {
      const { kind, message: reply } = message as { kind: string; message?: { value?: unknown } };
      return kind === "reply" && reply?.value ? [JSON.stringify(reply.value)] : [];
    });
  const endpoint = new EndpointConfig([
    { id: 0, mac: "02:42:0a:4d:00:02", ipv4: "10.77.0.2/16", ipv6: "fd77::2/64" },
    { id: 1, ipv4: "10.77.1.2/16" },
    { id: 7, ipv6: "fd77::1:2/64" },
  ]);
  const join = new JoinConfig([0, 1]);
  for (const one of join.interfaceNames()) one.setNames(`veth${one.id()}`, "eth");
  join.setGateway("10.77.0.1");
  join.setGatewayIPv6("fd77::1");
  join.addStaticRoute("10.78.0.0/16", 0, "10.77.0.1", 0);
  join.addStaticRoute("fd78::/64", 0, "fd77::1", 0);
  join.addStaticRoute("10.79.0.0/24", 1, "", 1);
  return [
    ...new Set([...texts, JSON.stringify(endpoint), JSON.stringify(join), '{"mac":"02:42:00:00:00:01","up":true}']),
  ];
}

const CONTROLS: readonly ControlUp[] = [
  { kind: "ready" },
  { kind: "opened", id: 1, route: 1 },
  { kind: "failed", id: 2, why: "no worker became ready" },
  { kind: "ended", route: 1, how: "exit", detail: "it ended with code 1" },
  { kind: "ended", route: 2, how: "memory", detail: "out of memory" },
  { kind: "ended", route: 3, how: "killed", detail: "" },
  { kind: "foreign", route: 1 },
  { kind: "cell", route: 1, running: 3, started: 4 },
  { kind: "cell", route: 4_294_967_295, running: -1, started: 2_147_483_647 },
  { kind: "busy", workers: [[1, 0], [2, 1234.5]] }, // biome-ignore format: one line
  { kind: "pong", id: 9 },
  { kind: "profile", id: 3, part: '{"nodes":[]' },
  { kind: "profiled", id: 3, why: "" },
  { kind: "profiled", id: 4, why: "its worker has ended" },
];

/** A control message of each kind, with its header. */
export const CONTROL: readonly string[] = CONTROLS.map((one) => `${CONTROL_HEADER}${JSON.stringify(one)}`);

/** JSON in which each of `names` stands for something strange (targets/json.ts), and some in which nothing does. */
export function strangeTexts(names: readonly string[]): string[] {
  const marked = names.flatMap((name) => [
    `{"a":[1,{"$":"${name}","of":{"b":2}}]}`,
    `{"$":"${name}","of":[0,"x"]}`,
    `[{"$":"${name}"},{"$":"${name}","of":{"$":"getter"}}]`,
  ]);
  return [
    ...marked,
    '{"a":{"b":[1,"x",true,null,-0.5e3]},"c d":{},"":[]}',
    '{"bulkhead.replay":true}',
    "[]",
    '"x"',
    "7",
  ];
}

const ownManifests = ["plugins", "examples"]
  .flatMap((one) => readdirSync(join(root, one)).map((name) => join(root, one, name, "plugin.json")))
  .flatMap((path) => {
    try {
      return [readFileSync(path, "utf8")];
    } catch {
      return [];
    }
  })
  // Each is read as plugin "x".
  .map((text) => text.replace(/"name": "[a-z-]+"/, '"name": "x"'));

const NETLINK = {
  kinds: ["bridge", "veth", "macvlan", "vxlan"],
  prefix: "bh",
  max: 64,
  subnets: ["10.64.0.0/10", "fd64::/32"],
  parents: ["eth0", "eth0.7"],
  passthru: true,
  vniFrom: 100,
  vniTo: 199,
  remotes: ["192.168.7.0/24"],
  ports: [4789],
};

const WHOLE_MANIFEST = {
  $schema: "./plugin.schema.json",
  name: "x",
  version: "1.2.3-rc.1",
  description: "Ein Treiber – für alles.",
  apiVersion: 1,
  main: "src/main.ts",
  networkTypes: ["x", "Other_type-2"],
  scope: "global",
  permissions: {
    log: { linesPerSecond: 10, lineChars: 200 },
    timers: { minimumMs: 5, count: 2 },
    clock: { resolutionMs: 100 },
    random: true,
    store: { bytes: 1024, keys: 16 },
    netlink: NETLINK,
  },
  timeouts: { default: 1000, init: 10, createNetwork: 600_000, type: 1, join: 20 },
  limits: { memoryMb: 16, drivers: 2 },
  isolation: "dedicated",
  recovery: "self",
};

const WHOLE_POLICY = {
  $schema: "../dist/schemas/policy.schema.json",
  defaults: { timeouts: { default: 2000, leave: 30 }, limits: { memoryMb: 64 }, isolation: "process" },
  plugins: {
    x: {
      grant: { scope: "global", netlink: NETLINK, store: true, log: { linesPerSecond: 1 } },
      options: { x: { mtu: 1450, peers: ["a", { b: [1.5, null, false] }] }, Other_type: {} },
      timeouts: { config: 10 },
      limits: { drivers: 1 },
      isolation: "dedicated",
      sha256: "0123456789abcdefABCDEF0123456789abcdefABCDEF0123456789abcdefABCD",
    },
    constructor: {},
    bridge: { grant: { netlink: { prefix: "br", kinds: ["bridge"] } } },
  },
};

function documents(whole: Readonly<Record<string, unknown>>): string[] {
  const parts = Object.entries(whole).map(([key, value]) => JSON.stringify({ [key]: value }));
  return ["{}", "\uFEFF{ }\r\n", JSON.stringify(whole), JSON.stringify(whole, undefined, 2), ...parts];
}

/** Manifests that are valid. */
export const MANIFESTS: readonly string[] = [...ownManifests, ...documents(WHOLE_MANIFEST)];

/** Policies that are valid. */
export const POLICIES: readonly string[] = [
  ...documents(WHOLE_POLICY),
  ...documents(WHOLE_POLICY.plugins.x).map((entry) => `{"plugins":{"x":${entry.replace("\uFEFF", "")}}}`),
];
