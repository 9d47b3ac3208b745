/** OpenTelemetry's spans: an engine's request, its call, the worker's part and the kernel's batch, one within the other. */
import { context, trace } from "@opentelemetry/api";
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-node";
import { DockerGateway } from "#dist/docker/gateway.js";
import { startHost } from "#dist/host/plugin-host.js";
import type { PluginHost, Policy } from "#dist/index.js";
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";
import { post } from "../docker/socket.js";
import { assert, suite, type TestContext, until } from "../harness.js";
import { house } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";

const test = suite("host/tracing");
const exporter = new InMemorySpanExporter();
const NETLINK = { kinds: ["bridge"], prefix: "tr", subnets: ["10.9.0.0/16"] };
const MANIFEST = { name: "net", version: "1.0.0", apiVersion: 1, main: "index.js", networkTypes: ["net"] };

/** Creates a link in `createNetwork`, and refuses a network called "no". */
const LINKS = {
  "net/index.js": plugin("net", {
    top: "let netlink;",
    start: "netlink = powers.netlink;",
    methods: `async createNetwork(nid) {
      if (nid === "no") throw new Error("not this one");
      await netlink.createLink({ name: "tr-0", kind: "bridge" });
    },`,
  }),
  "net/plugin.json": JSON.stringify({ ...MANIFEST, permissions: { netlink: NETLINK } }),
};

/** Starts a host over them; the plugin's worker is a thread of this process, whatever its permissions. */
async function open(t: TestContext): Promise<PluginHost> {
  const { plugins } = await house(t, LINKS);
  const policy = { plugins: { net: { grant: { netlink: NETLINK } } } } as Policy;
  const options = { plugins, policy, backend: "model", isolation: "thread", logger: SILENT } as const;
  const host = await startHost(options, { threads: new ThreadLauncher() });
  t.cleanup(() => host.close());
  return host;
}

interface Told {
  readonly name: string;
  readonly parent: string | undefined;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** The spans so far, each with its parent's name. */
function spans(): readonly Told[] {
  const all = exporter.getFinishedSpans();
  const names = new Map(all.map((one) => [one.spanContext().spanId, one.name]));
  return all.map(({ name, parentSpanContext, attributes }) => {
    const parent = parentSpanContext && (names.get(parentSpanContext.spanId) ?? "?");
    return { name, parent, attributes };
  });
}

test("nothing is traced before a provider is registered", async (t) => {
  const host = await open(t);
  await host.driver("net").createNetwork("n");
  await host.close();
  new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
  assert.equal(spans(), []);
});

test("an engine's request, call, worker and kernel", async (t) => {
  exporter.reset();
  const host = await open(t);
  const gateway = await DockerGateway.open({ host, logger: SILENT, directory: await t.folder() });
  t.cleanup(() => gateway.close());
  const socket = gateway.sockets.get("net") ?? "";
  await post(socket, "/NetworkDriver.CreateNetwork", { NetworkID: "n1", Options: {}, IPv4Data: [], IPv6Data: [] });
  await until(() => spans().some(({ name }) => name.startsWith("docker")), "the request's span");
  const told = spans();
  const chain = [
    "kernel netlink",
    "worker createNetwork",
    "bulkhead createNetwork",
    "docker /NetworkDriver.CreateNetwork",
  ];
  for (const [at, name] of chain.entries())
    assert.is(told.find((one) => one.name === name)?.parent, chain[at + 1], `${name}: ${JSON.stringify(told)}`);
  const call = told.find(({ name }) => name === "bulkhead createNetwork");
  assert.equal(call?.attributes, { "bulkhead.plugin": "net", "bulkhead.driver": "net", "bulkhead.network": "n1" });
});

test("a platform's span is a call's parent; a failed call has its error code", async (t) => {
  exporter.reset();
  const host = await open(t);
  const own = trace.getTracer("platform").startSpan("own");
  await context.with(trace.setSpan(context.active(), own), () =>
    host
      .driver("net")
      .createNetwork("no")
      .catch(() => {}),
  );
  own.end();
  const call = spans().find(({ name }) => name === "bulkhead createNetwork");
  assert.equal([call?.parent, call?.attributes["error.type"]], ["own", "ERR_DRIVER_FAILED"]);
  const worker = spans().find(({ name }) => name === "worker createNetwork");
  assert.equal([worker?.parent, worker?.attributes["error.type"]], ["bulkhead createNetwork", "error"]);
});

test.run();
