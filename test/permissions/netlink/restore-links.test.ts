/** Links of ours that somebody else renames or deletes: the former get their names back, of the latter the host is told. */
import type { ExternalChange } from "#dist/permissions/external-changes.js";
import { assert, suite, until } from "../../harness.js";
import { bench, onBoth } from "./backends.js";

const test = suite("permissions/netlink/strays");
/** A machine with much else to do takes its time, in milliseconds. */
const SOON = 20_000;
const MS = 60_000;

onBoth(
  test,
  "renamed by somebody else: it has its name back, is still up, and keeps its addresses; it is told",
  async (t, kind) => {
    const events: ExternalChange[] = [];
    const { ask, host, backend } = await bench(t, kind, {}, { report: (event) => void events.push(event) });
    await ask("createLink", { kind: "bridge", name: "bh-a" });
    await ask("setLink", "bh-a", { up: true });
    await ask("addAddress", "bh-a", "10.64.1.1/24");
    await ask("addAddress", "bh-a", "fd64:0:1::1/64");
    await host({ op: "down", name: "bh-a" }, { op: "rename", name: "bh-a", to: "other" }, { op: "up", name: "other" });
    await until(() => events.length > 0, "it is told", SOON);
    const link = (await backend.look({ addresses: true })).links.get("bh-a");
    assert.ok(link?.up);
    assert.ok(link?.addresses.some(({ ip }) => ip === "10.64.1.1"));
    assert.is(events[0]?.event, "link-restored");
    assert.is(events[0]?.plugin, "bridge");
    await ask("deleteLink", "bh-a");
  },
  MS,
);

onBoth(
  test,
  "deleted by somebody else: it is told once, with its plugin, and its name is free; what the plugin deletes itself is not",
  async (t, kind) => {
    const events: ExternalChange[] = [];
    const lost: string[][] = [];
    const { ask, host } = await bench(
      t,
      kind,
      {},
      {
        report: (event) => void events.push(event),
        lost: (plugin, links) => void lost.push([plugin, ...links.map(({ name, kind }) => `${kind} ${name}`)]),
      },
    );
    await ask("createLink", { kind: "bridge", name: "bh-a" });
    await ask("createLink", { kind: "bridge", name: "bh-b" });
    await ask("createLink", { kind: "veth", name: "bh-v", peer: "bh-w" });
    await ask("deleteLink", "bh-b");
    await host({ op: "delete", name: "bh-a" });
    await until(() => lost.length > 0, "it is told", SOON);
    assert.equal(lost, [["bridge", "bridge bh-a"]]);
    await ask("createLink", { kind: "bridge", name: "bh-a" });
    await host({ op: "delete", name: "bh-v" });
    await until(() => events.length === 3, "both ends are told", SOON);
    assert.match(events[1]?.detail ?? "", /the container at its other end is cut off/);
    assert.ok(events.every(({ event }) => event === "link-lost"));
  },
  MS,
);

test.run();
