/** An endpoint's addresses: taken together or not at all, and given back. */
import { EndpointConfig } from "#dist/index.js";
import { freeAddresses, Pool, parseSubnet, refuseOverlap, takeAddresses } from "#dist/plugin-addressing.js";
import { assert, suite } from "../harness.js";

const test = suite("addressing: endpoints");

const pools = (): readonly Pool[] => ["10.64.0.0/30", "fd64::/64"].map((text) => new Pool(parseSubnet(text)));
const given = (ipv4: string, ipv6: string): EndpointConfig => new EndpointConfig([{ id: 3, mac: "", ipv4, ipv6 }]);

test("an endpoint without interfaces gets one address of each pool", () => {
  const taken = takeAddresses(pools(), new EndpointConfig());
  assert.equal(taken, { id: 0, mac: "", ipv4: "10.64.0.2/30", ipv6: "fd64::2/64", given: false });
  const only6 = pools().slice(1);
  assert.equal(takeAddresses(only6, new EndpointConfig()).ipv4, "");
});

test("a given interface is taken as it is, and its addresses are not handed out", () => {
  const both = pools();
  const epInfo = new EndpointConfig([{ id: 3, mac: "02:42:0a:40:00:02", ipv4: "10.64.0.2/16", ipv6: "fd64::2/64" }]);
  assert.equal(takeAddresses(both, epInfo), {
    id: 3,
    mac: "02:42:0a:40:00:02",
    ipv4: "10.64.0.2/16",
    ipv6: "fd64::2/64",
    given: true,
  });
  assert.throws(() => takeAddresses(both, new EndpointConfig()), /no free address is left in subnet 10\.64\.0\.0\/30/);
  // A family without a pool is the platform's affair, and so is an address that it did not give.
  assert.is(takeAddresses([], given("192.168.0.2/24", "")).ipv4, "192.168.0.2/24");
  assert.is(takeAddresses(both, given("", "fd64::9/64")).ipv4, "");
});

test("if one address cannot be taken, none is", () => {
  const both = pools();
  takeAddresses(both, given("", "fd64::9/64"));
  assert.throws(() => takeAddresses(both, given("10.64.0.2/30", "fd64::9/64")), /fd64::9\/64 is another endpoint's/);
  assert.is(takeAddresses(both, new EndpointConfig()).ipv4, "10.64.0.2/30");

  const [four, six] = [new Pool(parseSubnet("10.64.0.0/24")), new Pool(parseSubnet("fd64::/126"))];
  for (let n = 0; n < 2; n++) six.take();
  assert.throws(() => takeAddresses([four, six], new EndpointConfig()), /fd64::\/126/);
  assert.is(four.take(), "10.64.0.2/24");
});

test("two interfaces are refused", () => {
  const two = new EndpointConfig([
    { id: 0, mac: "", ipv4: "10.64.0.2/30", ipv6: "" },
    { id: 1, mac: "", ipv4: "", ipv6: "fd64::2/64" },
  ]);
  const both = pools();
  assert.throws(() => takeAddresses(both, two), /one interface; more were given/);
  assert.is(takeAddresses(both, new EndpointConfig()).ipv4, "10.64.0.2/30");
});

test("addresses given back are free again", () => {
  const both = pools();
  const taken = takeAddresses(both, new EndpointConfig());
  freeAddresses(both, taken);
  assert.equal(takeAddresses(both, new EndpointConfig()), taken);
});

test("a network that shares an address with another is Forbidden, and the message names both", () => {
  const others = [{ nid: "one", pools: pools() }];
  refuseOverlap("two", [parseSubnet("10.64.1.0/24"), parseSubnet("fd65::/64")], others);
  assert.throws(
    () => refuseOverlap("two", [parseSubnet("fd64::/48")], others),
    /network two \(fd64::\/48\): conflicts with network one \(fd64::\/64\): networks have overlapping IPv6/,
  );
});

test.run();
