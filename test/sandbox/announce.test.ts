/** An address that comes back with another MAC address: its neighbours hear of it from the link itself, before anything is sent. */
import { execFileSync } from "node:child_process";
import { EndpointConfig, JoinConfig } from "#dist/index.js";
import { assert, suite, until } from "../harness.js";
import { callFrom, serveIn } from "../permissions/firewall/server.js";
import { generic, serve } from "../plugins/shipped.js";
import { namespace, noKernel } from "./bench.js";

const test = suite("sandbox/announce");

test(
  "ARP and neighbour advertisements are sent when a link comes up in its sandbox",
  async (t) => {
    const { host } = await serve(t, "bridge", "kernel");
    const driver = host.driver();
    await driver.createNetwork("n", generic({ subnet: "10.64.1.0/24", subnet6: "fd64:0:0:1::/64" }));
    const attach = async (eid: string, mac: string, last: number): Promise<string> => {
      const box = namespace(t, "kernel");
      const given = [{ id: 0, mac, ipv4: `10.64.1.${last}/24`, ipv6: `fd64:0:0:1::${last}/64` }];
      const endpoint = new EndpointConfig(given);
      await driver.createEndpoint("n", eid, endpoint);
      await driver.join("n", eid, box, new JoinConfig(endpoint));
      await host.host.attach({ type: "bridge", nid: "n", eid });
      return box;
    };
    const first = await attach("a", "02:00:00:00:00:0a", 2);
    const neighbour = await attach("b", "02:00:00:00:00:0b", 3);
    await serveIn(t, first, "tcp", "::", 80, "a");
    assert.is(await callFrom(neighbour, "tcp", "10.64.1.2", 80), "a ::ffff:10.64.1.3");
    assert.is(await callFrom(neighbour, "tcp", "fd64:0:0:1::2", 80), "a fd64:0:0:1::3");
    const known = (ip: string): string =>
      execFileSync("ip", ["-n", neighbour, "neigh", "show", ip], { encoding: "utf8" });
    assert.match(known("10.64.1.2"), "02:00:00:00:00:0a");

    await driver.leave("n", "a");
    await driver.deleteEndpoint("n", "a");
    await attach("c", "02:00:00:00:00:0c", 2);
    for (const ip of ["10.64.1.2", "fd64:0:0:1::2"])
      await until(() => known(ip).includes("02:00:00:00:00:0c"), `the neighbour to know ${ip} anew`);
    for (const eid of ["b", "c"]) {
      await driver.leave("n", eid);
      await driver.deleteEndpoint("n", eid);
    }
    await driver.deleteNetwork("n");
  },
  { ms: 60_000, needs: noKernel },
);

test.run();
