/** Endpoints that an engine has forgotten are found: by their sandbox, or because nobody joins them. */
import { join } from "node:path";
import { Collector } from "#dist/docker/collector.js";
import type { DriverCalls } from "#dist/docker/driver-calls.js";
import type { EndpointRecord } from "#dist/host/calls/record.js";
import type { TypeView } from "#dist/host/type-view.js";
import { assert, suite } from "../harness.js";

const test = suite("docker: the collector");

/** A network with one endpoint for each sandbox; "": it is not joined. */
function scene(sandboxes: Readonly<Record<string, string>>) {
  const endpoints = new Map<string, Pick<EndpointRecord, "eid" | "join">>();
  for (const [eid, sboxKey] of Object.entries(sandboxes)) {
    const joined = { phase: "live", sboxKey, options: "{}", data: undefined } as const;
    endpoints.set(eid, { eid, join: sboxKey === "" ? undefined : joined });
  }
  const view = { networks: () => [{ nid: "n", endpoints }] } as unknown as TypeView;
  const calls = {
    async drop(_nid: string, { eid }: EndpointRecord) {
      endpoints.delete(eid);
    },
  } as unknown as DriverCalls;
  return { endpoints, look: (one: Collector) => one.collect(calls, view, {}) };
}

test("a sandbox that has ended, or is only a file, at two checks in a row; not one that lives, nor one that is not visible here", async (t) => {
  const folder = await t.folder();
  const { look } = scene({
    lives: "/proc/self/ns/net",
    gone: join(folder, "gone"),
    file: process.execPath,
    unseen: "/no/such/folder/box",
    text: "box",
  });
  const one = new Collector();
  assert.equal(await look(one), []);
  assert.equal(await look(one), ["gone", "file"]);
});

test("not joined at two checks in a row", async () => {
  const { endpoints, look } = scene({ idle: "", late: "" });
  const one = new Collector();
  assert.equal(await look(one), []);
  const late = endpoints.get("late");
  if (late) late.join = { phase: "live", sboxKey: "box", options: "{}", data: undefined };
  endpoints.set("new", { eid: "new", join: undefined });
  assert.equal(await look(one), ["idle"]);
  assert.equal(await look(one), ["new"]);
});

test.run();
