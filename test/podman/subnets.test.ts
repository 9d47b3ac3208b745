/** Subnets for a network that Podman leaves without any. */
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { contains, networkOf, overlaps } from "#dist/permissions/netlink/cidr.js";
import { chooseSubnet } from "#dist/podman/choose-subnet.js";
import { knownSubnets } from "#dist/podman/known-networks.js";
import { assert, suite } from "../harness.js";
import { thrown } from "../kit/host.js";

const test = suite("podman/subnets");
const GRANTED = ["10.64.0.0/10", "172.16.0.0/12", "fd00::/8"];

test("within the grant, another one for each network, and none that is in use", () => {
  const used: string[] = [];
  for (let count = 0; count < 200; count++) {
    const subnet = chooseSubnet(4, { id: `network ${count}`, granted: GRANTED, used });
    assert.match(subnet, /^10\.\d+\.\d+\.0\/24$/);
    assert.ok(contains(networkOf("10.96.0.0/11"), networkOf(subnet)), "of Podman's pools those that it gives out last");
    assert.not.ok(used.some((one) => overlaps(networkOf(one), networkOf(subnet))));
    used.push(subnet);
  }
  assert.match(chooseSubnet(6, { id: "n", granted: GRANTED, used: [] }), /^fd[\da-f:]+::\/64$/);
  const narrow = chooseSubnet(4, { id: "n", granted: ["192.168.7.0/24"], used: [] });
  assert.is(narrow, "192.168.7.0/24");
});

test("where nothing is free, or nothing is granted, the error says what to do", () => {
  const full = { id: "n", granted: ["192.168.7.0/24"], used: ["192.168.0.0/16"] };
  for (const choice of [full, { ...full, granted: ["fd00::/8"] }, { ...full, granted: ["192.168.7.0/25"] }])
    assert.match(thrown(() => chooseSubnet(4, choice)).message, /no IPv4 subnet is free .*name one with --subnet/);
});

test("the subnets of Podman's networks are read from its files, whatever else lies there", async (t) => {
  const folder = await t.folder();
  const put = (name: string, text: string): void => writeFileSync(join(folder, name), text);
  put("a.json", '{"name":"a","subnets":[{"subnet":"10.1.0.0/24","gateway":"10.1.0.1"},{"subnet":"fd00:1::/64"}]}');
  put("b.json", '{"name":"b"}');
  put("c.json", "{");
  put("d.json", '{"subnets":[{"subnet":"everything"}]}');
  put("e.lock", '{"subnets":[{"subnet":"10.2.0.0/24"}]}');
  mkdirSync(join(folder, "f.json"));
  assert.equal(await knownSubnets(folder), ["10.1.0.0/24", "fd00:1::/64"]);
  assert.equal(await knownSubnets(join(folder, "missing")), []);
});

test.run();
