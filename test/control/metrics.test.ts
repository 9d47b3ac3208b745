/** Metrics: what they count, that they add up, and that no plugin chooses a label. */
import { request } from "node:http";
import { serveMetrics } from "#dist/cli/serve/metrics-server.js";
import { tcpAddress } from "#dist/common/tcp-address.js";
import { METRIC_NAMES } from "#dist/control/metrics.js";
import { EndpointConfig } from "#dist/index.js";
import { assert, rejection, suite, until } from "../harness.js";
import { next } from "../kit/host.js";
import { SILENT } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { controlled } from "./controlled.js";

const test = suite("control/metrics");

const CODE = plugin("net", {
  methods: `endpointOperInfo() { throw Object.assign(new Error("no"), { code: 'x"} 1\\nforged_total 1' }); },
    leave() { setTimeout(() => { throw new Error("stray"); }); return new Promise(() => {}); },`,
});

/** Values by name and labels. */
function parsed(text: string): Map<string, number> {
  const lines = text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
  return new Map(
    lines.map((line) => {
      const at = line.lastIndexOf(" ");
      return [line.slice(0, at), Number(line.slice(at + 1))];
    }),
  );
}

function get(options: object): Promise<{ status: number | undefined; type: string | undefined; text: string }> {
  return new Promise((resolve, reject) => {
    const sent = request({ agent: false, ...options }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode, type: response.headers["content-type"], text }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

test("calls by code, durations that add up, restarts, networks; codes are the table's", async (t) => {
  const { host, socket, client } = await controlled(t, { "net.js": CODE });
  const driver = host.driver("net");
  await driver.createNetwork("n");
  await driver.createEndpoint("n", "e", new EndpointConfig());
  for (let i = 0; i < 3; i++) await rejection(driver.endpointOperInfo("n", "e"));
  await rejection(driver.deleteNetwork("none"));
  const { status, type, text } = await get({ socketPath: socket, path: "/metrics" });
  assert.equal([status, type], [200, "text/plain; version=0.0.4; charset=utf-8"]);
  const values = parsed(text);
  const of = (name: string, labels: string): number | undefined => values.get(`${name}{plugin="net"${labels}}`);
  const calls = (method: string, code: string) =>
    of("bulkhead_calls_total", `,driver="net",method="${method}",code="${code}"`);
  assert.equal(
    [
      calls("createNetwork", "ok"),
      calls("endpointOperInfo", "ERR_DRIVER_FAILED"),
      calls("deleteNetwork", "ERR_NETWORK_NOT_FOUND"),
    ],
    [1, 3, 1],
  );
  assert.not.match(text, "\nforged_total");
  const duration = (le: string) =>
    of("bulkhead_call_duration_seconds_bucket", `,driver="net",method="endpointOperInfo",le="${le}"`);
  assert.is(duration("+Inf"), 3);
  assert.ok((duration("0.001") ?? 9) <= (duration("10") ?? 0));
  assert.is(of("bulkhead_call_duration_seconds_count", ',driver="net",method="endpointOperInfo"'), 3);
  assert.ok((of("bulkhead_call_duration_seconds_sum", ',driver="net",method="endpointOperInfo"') ?? 0) > 0);
  assert.equal([of("bulkhead_plugin_up", ""), of("bulkhead_networks", ',driver="net"')], [1, 1]);
  assert.ok((values.get("bulkhead_journal_flushes_total") ?? 0) > 0);
  assert.ok((values.get("bulkhead_journal_flush_seconds_total") ?? 0) > 0);
  const storage = (name: string) => values.get(`bulkhead_journal_${name}`) ?? 0;
  assert.ok(storage("last_flush_seconds") > 0 && storage("last_flush_seconds") <= storage("flush_seconds_total"));
  assert.ok(storage("row_bytes") > 0 && storage("row_bytes") < storage("log_bytes"));
  assert.is(storage("reserve_bytes"), 262_144);
  assert.ok(storage("free_bytes") > 1_048_576);
  await client.ask("quarantine", { id: "net" });
  const down = async (): Promise<boolean> => parsed(await host.metrics()).get('bulkhead_plugin_up{plugin="net"}') === 0;
  await until(down, "the next reading");
});

test("requests within a second share one reading", async (t) => {
  const { host } = await controlled(t, { "net.js": CODE });
  const first = host.metrics();
  await host.driver("net").createNetwork("n");
  const again = await host.metrics();
  assert.is(again, await first);
  const began = performance.now();
  await until(async () => (await host.metrics()) !== again, "another reading");
  assert.ok(performance.now() - began < 2_000, "a reading is a second old at most");
});

test("a crash is a restart; every metric has its help and type", async (t) => {
  const { host } = await controlled(t, { "net.js": CODE });
  const driver = host.driver("net");
  await driver.createNetwork("n");
  await driver.createEndpoint("n", "e", new EndpointConfig());
  const restarted = next(host, "plugin:restarted");
  const { JoinConfig } = await import("#dist/index.js");
  await driver.join("n", "e", "s", new JoinConfig(new EndpointConfig()));
  await rejection(driver.leave("n", "e"));
  await restarted;
  const text = await host.metrics();
  assert.is(parsed(text).get('bulkhead_plugin_restarts_total{plugin="net"}'), 1);
  for (const name of METRIC_NAMES) {
    assert.match(text, `# HELP ${name} `);
    assert.match(text, new RegExp(`^# TYPE ${name} (counter|gauge|histogram)$`, "m"));
  }
});

test("a port serves metrics and nothing else; an address is one of numbers, loopback unless it is named", async (t) => {
  const { host } = await controlled(t, { "net.js": CODE });
  const served = await serveMetrics(host, { host: "127.0.0.1", port: 0 }, SILENT);
  t.cleanup(() => served.close());
  const { port } = new URL(served.url);
  const reply = await get({ host: "127.0.0.1", port, path: "/metrics?x" });
  assert.is(reply.status, 200);
  assert.match(reply.text, 'bulkhead_plugin_up{plugin="net"} 1');
  assert.is((await get({ host: "127.0.0.1", port, path: "/v1/plugins" })).status, 404);
  assert.is((await get({ host: "127.0.0.1", port, path: "/metrics", method: "POST" })).status, 404);
  for (const name of ["localhost", "127.0.0.1", "[::1]:9464"])
    assert.is((await get({ host: "127.0.0.1", port, path: "/metrics", headers: { host: name } })).status, 200, name);
  const rebound = { host: "127.0.0.1", port, path: "/metrics", headers: { host: `evil.example:${port}` } };
  assert.is((await get(rebound)).status, 403, "a web page's own name");
  const taken = await rejection(serveMetrics(host, { host: "127.0.0.1", port: Number(port) }, SILENT));
  assert.is(taken.code, "ERR_OPTIONS");
  assert.equal(tcpAddress("9464"), { host: "127.0.0.1", port: 9464 });
  assert.equal(tcpAddress("[::1]:9464"), { host: "::1", port: 9464 });
  for (const wrong of ["", "localhost:9464", "1.2.3.4", "1.2.3.4:99999", "x", ":1"])
    assert.is(tcpAddress(wrong), undefined, wrong);
});

test.run();
