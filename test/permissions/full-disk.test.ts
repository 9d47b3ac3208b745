/** A full disk: links and rules that could not be recorded are refused before anything is done; what is deleted goes on. */
import type { FirewallRow } from "#dist/permissions/firewall/ledger.js";
import { MemoryLedger } from "#dist/permissions/ledger.js";
import type { LedgerRow } from "#dist/permissions/netlink/ledger.js";
import { openDataFolder } from "#dist/storage/folder.js";
import { LogLedger } from "#dist/storage/log-ledger.js";
import { assert, rejection, suite } from "../harness.js";
import { bridgeOf, firewallBench } from "./firewall/backends.js";
import { bench } from "./netlink/backends.js";

const test = suite("permissions: full disk");
const FULL = /failed: the platform's disk is full; what is deleted makes room$/;

/** Adds a disk that can record so many bytes more. */
function limited<L extends object>(ledger: L, room: { bytes: number }): L & { hasRoom(bytes: number): boolean } {
  return Object.assign(ledger, { hasRoom: (bytes: number) => bytes <= room.bytes });
}

test("netlink: of one batch, what there is room for is done; deletions go on", async (t) => {
  const room = { bytes: Number.POSITIVE_INFINITY };
  const { ask, open, backend } = await bench(t, "model", {}, { ledger: limited(new MemoryLedger<LedgerRow>(), room) });
  const other = open("other", { prefix: "ot" });
  await ask("createLink", { kind: "bridge", name: "bh-a" });
  // Enough for one bridge, and not for two.
  room.bytes = 200;
  const [made, refused] = await Promise.allSettled([
    other("createLink", { kind: "bridge", name: "ot-a" }),
    ask("createLink", { kind: "bridge", name: "bh-b" }),
  ]);
  assert.is(made.status, "fulfilled", JSON.stringify(made));
  assert.match(String(refused.status === "rejected" && refused.reason), FULL);
  room.bytes = 0;
  await ask("setLink", "bh-a", { up: true });
  await ask("deleteLink", "bh-a");
  assert.equal(
    [...(await backend.look()).links.keys()].filter((name) => name !== "lo"),
    ["ot-a"],
  );
});

test("firewall: a rule without room is refused before a port is held; a withdrawal goes on", async (t) => {
  const room = { bytes: Number.POSITIVE_INFINITY };
  const ledger = limited(new MemoryLedger<FirewallRow>(), room);
  const { ask, fire, firewall } = await firewallBench(t, "model", {}, { ledger });
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  await fire("masquerade", { bridge: "bh-b", subnet: "10.64.1.0/24" });
  let held = 0;
  const hold = firewall.backend.hold.bind(firewall.backend);
  firewall.backend.hold = (port) => {
    held++;
    return hold(port);
  };
  room.bytes = 0;
  const web = { bridge: "bh-b", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 };
  assert.match((await rejection(fire("publish", web))).message, FULL);
  assert.is(held, 0);
  await fire("withdraw", { kind: "masquerade", bridge: "bh-b", subnet: "10.64.1.0/24" });
  assert.equal(await fire("rules"), []);
});

test("a data folder's ledger has room until the reserve would be used", async (t) => {
  const opened = await openDataFolder(await t.folder());
  t.cleanup(() => opened.close());
  const ledger = new LogLedger(opened.state, "links", opened.id);
  assert.is(ledger.hasRoom(1000), true);
  assert.is(ledger.hasRoom(2 ** 50), false, "no disk has that much");
});

test.run();
