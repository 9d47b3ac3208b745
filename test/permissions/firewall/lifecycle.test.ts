/** The firewall's rules from first to last: the same again, a bridge that goes, crashes, and what is left at the end. */

import type { FirewallBackend } from "#dist/permissions/firewall/backend.js";
import { createFirewallHub } from "#dist/permissions/firewall/hub.js";
import { type FirewallChange, type FirewallRow, tableOf } from "#dist/permissions/firewall/ledger.js";
import type { PublishSpec } from "#dist/permissions/firewall/rule.js";
import { MemoryLedger } from "#dist/permissions/ledger.js";
import type { NetlinkLimits } from "#dist/permissions/netlink/grant.js";
import { assert, rejection, suite } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { onBoth } from "../netlink/backends.js";
import { bridgeOf, firewallBench, ruleset } from "./backends.js";

const test = suite("permissions/firewall/lifecycle");
/** The netlink grant of the plugin whose rules are tried. */
const LINKS: NetlinkLimits = {
  kinds: [],
  prefix: "bh",
  max: 1,
  subnets: ["10.64.0.0/10"],
  parents: [],
  passthru: false,
  remotes: [],
  ports: [],
};
const WEB = { bridge: "bh-b", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 } as const;
const OUT = { bridge: "bh-b", subnet: "10.64.1.0/24" } as const;

/** A ledger that outlives its hub, as one on a disk does. */
class LastingLedger extends MemoryLedger<FirewallRow> {
  override readonly durable = true as never;
}

/** Counts what is programmed. */
function counted(backend: FirewallBackend): FirewallBackend & { count: number } {
  const wrapped = {
    count: 0,
    kind: backend.kind,
    tables: () => backend.tables(),
    hold: (port: PublishSpec) => backend.hold(port),
    holdAside: (port: PublishSpec) => backend.holdAside(port),
    keep: (ports: readonly PublishSpec[]) => backend.keep(ports),
    release: (ports: readonly PublishSpec[]) => backend.release(ports),
    forgetFlows: (...args: Parameters<FirewallBackend["forgetFlows"]>) => backend.forgetFlows(...args),
    close: () => backend.close(),
    forward: (...args: Parameters<FirewallBackend["forward"]>) => backend.forward(...args),
    stopForwarding: () => backend.stopForwarding(),
    get guarded() {
      return backend.guarded;
    },
    listing: () => backend.listing(),
    watch: (events: Parameters<FirewallBackend["watch"]>[0]) => backend.watch(events),
    allow: (table: string, allowed: Parameters<FirewallBackend["allow"]>[1]) => backend.allow(table, allowed),
    refused: (table: string) => backend.refused(table),
    program(...args: Parameters<FirewallBackend["program"]>) {
      wrapped.count++;
      return backend.program(...args);
    },
  };
  return wrapped;
}

onBoth(
  test,
  "the same again is left as it is; canonical and not, with and without what is so by default",
  async (t, kind) => {
    const { ask, fire } = await firewallBench(t, kind);
    await bridgeOf(ask, "bh-b", "10.64.1.1/24", "fd64:0:1::1/64");
    await fire("isolate", { bridge: "bh-b" });
    await fire("isolate", { bridge: "bh-b", internal: false });
    await fire("masquerade", { bridge: "bh-b", subnet: "FD64:0:1:0::/64" });
    await fire("masquerade", { bridge: "bh-b", subnet: "fd64:0:1::/64" });
    await fire("publish", WEB);
    await fire("publish", { ...WEB, hostIP: "" });
    assert.equal(await fire("rules"), [
      { kind: "isolate", bridge: "bh-b" },
      { kind: "masquerade", bridge: "bh-b", subnet: "fd64:0:1::/64" },
      { kind: "publish", ...WEB },
    ]);
    await fire("withdraw", { kind: "publish", ...WEB });
    await fire("withdraw", { kind: "publish", ...WEB });
    await fire("withdraw", { kind: "publish", ...WEB, port: 81 });
    assert.is(((await fire("rules")) as unknown[]).length, 2);
  },
);

onBoth(test, "what is asked in one turn is one transaction", async (t, kind) => {
  const { ask, firewall, hub } = await firewallBench(t, kind);
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  const backend = counted(firewall.backend);
  const other = createFirewallHub({ netlink: hub, logger: SILENT, use: backend });
  t.cleanup(() => other.close());
  const power = other.open("bridge", { ports: ["8000-8999"], max: 64 }, LINKS);
  const publish = power.methods?.get("firewall.publish");
  await Promise.all(Array.from({ length: 20 }, (_, n) => publish?.([{ ...WEB, hostPort: 8000 + n }])));
  assert.is(backend.count, 1);
});

onBoth(test, "rules go with their bridge, and with their plugin; at the end no table is left", async (t, kind) => {
  const { ask, fire, firewall, netns } = await firewallBench(t, kind);
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  await fire("masquerade", OUT);
  await fire("publish", WEB);
  await ask("deleteLink", "bh-b");
  assert.equal(await fire("rules"), []);
  assert.equal(await firewall.backend.tables(), []);

  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  await fire("publish", WEB);
  assert.is((await firewall.backend.tables()).length, 1);
  await firewall.release("bridge");
  assert.equal(await firewall.backend.tables(), []);

  await fire("publish", WEB);
  await firewall.close();
  await firewall.close();
  assert.equal(await firewall.backend.tables(), []);
  if (kind === "kernel") assert.is(ruleset(netns), "");
  const error = await rejection(fire("rules"));
  assert.is(error.code, "ERR_FIREWALL_FAILED");
  assert.match(error.message, /closing/);
});

onBoth(
  test,
  "a lasting ledger: rules outlive the host, and the next one programs them again before it gets any request",
  async (t, kind) => {
    const ledger = new LastingLedger();
    const { ask, fire, firewall, hub } = await firewallBench(t, kind, {}, { ledger });
    await bridgeOf(ask, "bh-b", "10.64.1.1/24");
    await fire("publish", WEB);
    await firewall.close();
    const table = tableOf(ledger.id, "bridge");
    assert.equal(await firewall.backend.tables(), [table]);
    // Somebody has flushed everything meanwhile, and a table of nobody's has come.
    await firewall.backend.program(
      [{ name: tableOf(ledger.id, "gone"), prefix: "go", rules: [], uplinks: [], allowed: [] }],
      [table],
    );

    const next = createFirewallHub({ netlink: hub, logger: SILENT, ledger, use: firewall.backend });
    t.cleanup(async () => {
      await next.release("bridge");
      await next.close();
    });
    await next.reconcile();
    assert.equal(await firewall.backend.tables(), [table]);
    assert.equal(await next.rules("bridge"), [{ kind: "publish", ...WEB }]);
  },
);

onBoth(test, "tables of a process that has ended are removed, those of others stay", async (t, kind) => {
  const { firewall } = await firewallBench(t, kind);
  const [, space] = /^m-(\d+)-/.exec(new MemoryLedger<FirewallRow>().id) ?? [];
  const gone = tableOf(`m-${space}-4194303-1-0123abcd`, "bridge");
  const alive = tableOf(new MemoryLedger<FirewallRow>().id, "bridge");
  const lasting = tableOf("d-0123abcd", "bridge");
  await firewall.backend.program(
    [gone, alive, lasting].map((name) => ({ name, prefix: "bh", rules: [], uplinks: [], allowed: [] })),
    [],
  );
  await firewall.reconcile();
  assert.equal([...(await firewall.backend.tables())].sort(), [alive, lasting].sort());
});

onBoth(test, "what cannot be programmed is neither kept nor remembered", async (t, kind) => {
  const ledger = new MemoryLedger<FirewallRow>();
  const { ask, fire, firewall, hub } = await firewallBench(t, kind, {}, { ledger });
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  await fire("masquerade", OUT);
  const broken: FirewallBackend = Object.assign(counted(firewall.backend), {
    program: () => Promise.reject(new Error("Could not process rule")),
  });
  const other = createFirewallHub({ netlink: hub, logger: SILENT, use: broken });
  const power = other.open("bridge", { ports: ["8080"], max: 4 }, LINKS);
  const error = await rejection(Promise.resolve(power.methods?.get("firewall.publish")?.([{ ...WEB }])));
  assert.is(error.code, "ERR_FIREWALL_FAILED");
  assert.match(error.message, /firewall\.publish failed: Could not process rule/);
  assert.equal(await other.rules("bridge"), []);
});

onBoth(test, "the intent is written before anything is programmed", async (t, kind) => {
  const steps: string[] = [];
  const ledger = new MemoryLedger<FirewallRow>();
  const write = ledger.write.bind(ledger);
  ledger.write = async (changes: readonly FirewallChange[]) => {
    steps.push("written");
    await write(changes);
  };
  const { ask, fire, firewall } = await firewallBench(t, kind, {}, { ledger });
  const program = firewall.backend.program.bind(firewall.backend);
  firewall.backend.program = async (...args) => {
    steps.push("programmed");
    await program(...args);
  };
  await bridgeOf(ask, "bh-b", "10.64.1.1/24");
  await fire("publish", WEB);
  assert.equal(steps, ["written", "programmed"]);
});

test.run();
