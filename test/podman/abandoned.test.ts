/** Containers that Podman has forgotten are told from those that only start, and from those that cannot be seen. */
import type { Attachment } from "#dist/attachments/attachment.js";
import { Abandoned } from "#dist/podman/abandoned.js";
import { PODMAN } from "#dist/podman/limits.js";
import { assert, suite } from "../harness.js";

const test = suite("podman/abandoned");

function row(container: string, namespace = container, phase: Attachment["phase"] = "live"): Attachment {
  return {
    ...{ platform: "podman", network: "n", container, interface: "eth0", type: "bridge", nid: "1", eid: container },
    ...{ netns: `/run/netns/${namespace}`, namespace, phase, links: [], gateway: "", gatewayIPv6: "", routes: [] },
    ...{ ports: [], publishes: false },
  };
}

test("looks without a process for long enough, and not while a container starts again in another namespace", () => {
  let lived = ["a", "b"];
  let now = 0;
  const abandoned = new Abandoned(
    () => new Set(lived),
    () => now,
  );
  const look = (...rows: readonly Attachment[]): readonly string[] => {
    now += PODMAN.abandonedMs;
    return abandoned.look(rows).map(({ container }) => container);
  };
  assert.equal(look(row("a"), row("b")), []);
  lived = ["a"];
  assert.equal(look(row("a"), row("b")), [], "its first look without a process");
  assert.equal(look(row("a"), row("b", "b2")), [], "another namespace");
  assert.equal(look(row("a"), row("b", "b2"), row("c", "c", "attaching")), ["b"]);
  lived = ["a", "b2"];
  assert.equal(look(row("a"), row("b", "b2"), row("c", "c", "attaching")), []);
});

test("many looks one right after the other are not enough", () => {
  let now = 0;
  const abandoned = new Abandoned(
    () => new Set(["a"]),
    () => now,
  );
  const look = (): number => abandoned.look([row("a"), row("b")]).length;
  for (let times = 0; times < 5; times++) assert.is(look(), 0);
  now = PODMAN.abandonedMs - 1;
  assert.is(look(), 0);
  now++;
  assert.is(look(), 1);
});

test("where no container's process was ever seen, they may all be out of sight", () => {
  let now = 0;
  const abandoned = new Abandoned(
    () => new Set(["another"]),
    () => now,
  );
  for (; now < 3 * PODMAN.abandonedMs; now += PODMAN.abandonedMs) assert.equal(abandoned.look([row("a")]), []);
});

test.run();
