/** Ports that a platform's own process has bound, as conmon does for Podman: our rules come first, for every client. */
import { createFirewallHub } from "#dist/permissions/firewall/hub.js";
import type { FirewallRow } from "#dist/permissions/firewall/ledger.js";
import { MemoryLedger } from "#dist/permissions/ledger.js";
import { assert, rejection, suite } from "../../harness.js";
import { SILENT } from "../../kit/logger.js";
import { noKernel, ruleOf } from "../netlink/backends.js";
import { ruleset } from "./backends.js";
import { place, readyIn, TAKE } from "./holder-place.js";
import { callFrom, serveIn } from "./server.js";

const test = suite("permissions/firewall/aside");
const options = { ms: 60_000, needs: noKernel };
const IN_VAIN = 700;
const WEB = { bridge: "bh-a", protocol: "tcp", hostPort: 8080, ip: "10.64.1.2", port: 80 } as const;
const NAMES = { bridge: "bh-a", protocol: "udp", hostPort: 8053, ip: "10.64.1.2", port: 53 } as const;

class LastingLedger extends MemoryLedger<FirewallRow> {
  override readonly durable = true as never;
}

test(
  "a listener of the platform's does not get in the way: clients outside, on the host and over loopback reach the container",
  async (t) => {
    const { netns, box, outside, fire, firewall } = await place(t);
    await serveIn(t, box, "tcp", "10.64.1.2", 80, "web");
    await serveIn(t, box, "udp", "10.64.1.2", 53, "names");
    await readyIn(t, netns, TAKE, "tcp", "0.0.0.0", "8080");
    await readyIn(t, netns, TAKE, "udp", "0.0.0.0", "8053");
    assert.is(ruleOf(await rejection(fire("publish", WEB))), "listener", "a stranger's listener");
    firewall.elsewhere.set("one", [
      { protocol: "tcp", hostIP: "", hostPort: 8080 },
      { protocol: "udp", hostIP: "", hostPort: 8053 },
    ]);
    await fire("publish", WEB);
    await fire("publish", NAMES);
    assert.is(await callFrom(outside, "tcp", "192.0.2.2", 8080), "web 192.0.2.1");
    assert.is(await callFrom(outside, "udp", "192.0.2.2", 8053), "names 192.0.2.1");
    assert.is(await callFrom(netns, "tcp", "192.0.2.2", 8080), "web 192.0.2.2");
    for (const address of ["127.0.0.1", "127.9.9.9", "::1"])
      assert.is(await callFrom(netns, "tcp", address, 8080), "web 10.64.1.1", address);
    for (const address of ["127.0.0.1", "::1"])
      assert.is(await callFrom(netns, "udp", address, 8053), "names 10.64.1.1", address);
    await fire("withdraw", { kind: "publish", ...WEB });
    await fire("withdraw", { kind: "publish", ...NAMES });
    assert.is(await callFrom(netns, "tcp", "127.0.0.1", 8080, IN_VAIN), "nothing");
    assert.not.match(ruleset(netns), /redirect/);
  },
  options,
);

test(
  "a port of one loopback address is served there alone",
  async (t) => {
    const { netns, box, fire, firewall } = await place(t);
    await serveIn(t, box, "tcp", "10.64.1.2", 80, "web");
    await readyIn(t, netns, TAKE, "tcp", "127.0.0.1", "8080");
    firewall.elsewhere.set("one", [{ protocol: "tcp", hostIP: "127.0.0.1", hostPort: 8080 }]);
    await fire("publish", { ...WEB, hostIP: "127.0.0.1" });
    assert.is(await callFrom(netns, "tcp", "127.0.0.1", 8080), "web 10.64.1.1");
    assert.is(await callFrom(netns, "tcp", "::1", 8080, IN_VAIN), "nothing");
  },
  options,
);

test(
  "the next platform serves it again, and a port that is set no more is refused like any other",
  async (t) => {
    const ledger = new LastingLedger();
    const { netns, box, hub, fire, firewall } = await place(t, { ledger });
    await serveIn(t, box, "tcp", "10.64.1.2", 80, "web");
    await readyIn(t, netns, TAKE, "tcp", "0.0.0.0", "8080");
    firewall.elsewhere.set("one", [{ protocol: "tcp", hostIP: "", hostPort: 8080 }]);
    await fire("publish", WEB);
    await firewall.close();
    const next = createFirewallHub({ netlink: hub, netns, logger: SILENT, ledger });
    t.cleanup(async () => {
      await next.release("bridge");
      await next.close();
    });
    await next.reconcile();
    assert.is(await callFrom(netns, "tcp", "127.0.0.1", 8080), "web 10.64.1.1");
    firewall.elsewhere.set("one", []);
    assert.not(firewall.elsewhere.has(WEB));
  },
  options,
);

test.run();
