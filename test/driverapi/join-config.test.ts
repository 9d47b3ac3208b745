import { CONNECTED, NEXTHOP } from "#dist/driverapi/constants.js";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import type { JoinInfo } from "#dist/driverapi/types.js";
import { assert, suite } from "../harness.js";
import { refusal } from "./refusal.js";

const test = suite("driverapi: JoinConfig");
const ids = (join: JoinConfig): number[] => join.interfaceNames().map((each) => each.id());

test("it holds what a driver sets", () => {
  const join = new JoinConfig([0, 1]);
  const info: JoinInfo = join;
  info.interfaceNames()[1]?.setNames("bh-veth1", "eth");
  info.setGateway("10.1.0.1");
  info.setGatewayIPv6("FD00:0::1");
  info.addStaticRoute("10.2.0.0/16", NEXTHOP, "10.1.0.254", 0);
  info.addStaticRoute("FD01:0::/48", CONNECTED, "", 1);
  assert.equal(join.toJSON(), {
    names: [{ id: 1, srcName: "bh-veth1", dstPrefix: "eth" }],
    gateway: "10.1.0.1",
    gatewayIPv6: "fd00::1",
    staticRoutes: [
      { destination: "10.2.0.0/16", routeType: 0, nextHop: "10.1.0.254", interfaceID: 0 },
      { destination: "fd01::/48", routeType: 1, nextHop: "", interfaceID: 1 },
    ],
  });
  assert.equal([join.gateway(), join.gatewayIPv6()], ["10.1.0.1", "fd00::1"]);
  assert.equal(join.staticRoutes(), join.toJSON().staticRoutes);
});

test("names are read back, last one wins, wrong ones change nothing", () => {
  const [names] = new JoinConfig([5]).interfaceNames();
  if (names === undefined) throw new Error("one interface expected");
  assert.equal([names.id(), names.srcName(), names.dstPrefix()], [5, "", ""]);
  names.setNames("a", "eth");
  names.setNames("b", "net");
  for (const [srcName, dstPrefix] of [
    ["", "eth"],
    ["a", ""],
    ["a/b", "eth"],
    ["a", "x".repeat(13)],
    [1, 2],
  ]) {
    assert.is(refusal(() => names.setNames(srcName as string, dstPrefix as string)).code, "ERR_INTERFACE_NAME");
  }
  assert.equal([names.srcName(), names.dstPrefix()], ["b", "net"]);
});

test("a gateway is of its family, and can be taken back", () => {
  const join = new JoinConfig([]);
  join.setGateway("10.1.0.1");
  assert.is(refusal(() => join.setGateway("fd00::1")).code, "ERR_ADDRESS_FAMILY");
  assert.is(refusal(() => join.setGatewayIPv6("10.1.0.1")).code, "ERR_ADDRESS_FAMILY");
  assert.is(refusal(() => join.setGateway("10.1.0.1/24")).code, "ERR_BAD_ADDRESS");
  assert.is(join.gateway(), "10.1.0.1");
  join.setGateway("");
  assert.is(join.gateway(), "");
  join.setGatewayIPv6("fd00::1");
  join.setGatewayIPv6(null);
  assert.is(join.gatewayIPv6(), "");
});

test("a route's rules", () => {
  const join = new JoinConfig([0]);
  const code = (...args: unknown[]): string =>
    refusal(() => join.addStaticRoute(...(args as Parameters<JoinConfig["addStaticRoute"]>))).code;
  for (const type of [2, -1, "0", null, undefined, true, 0.5, Number.NaN]) {
    assert.is(code("10.2.0.0/16", type, "10.1.0.1", 0), "ERR_ROUTE_TYPE");
  }
  assert.is(code("10.2.0.1/16", NEXTHOP, "10.1.0.1", 0), "ERR_ROUTE_HOST_BITS");
  assert.is(code("10.2.0.0", NEXTHOP, "10.1.0.1", 0), "ERR_BAD_ADDRESS");
  assert.is(code("", NEXTHOP, "10.1.0.1", 0), "ERR_BAD_ADDRESS");
  assert.is(code("10.2.0.0/16", NEXTHOP, "", 0), "ERR_ROUTE_NEXTHOP");
  assert.is(code("10.2.0.0/16", NEXTHOP, undefined, 0), "ERR_ROUTE_NEXTHOP");
  assert.is(code("10.2.0.0/16", NEXTHOP, "fd00::1", 0), "ERR_ADDRESS_FAMILY");
  assert.is(code("fd01::/48", NEXTHOP, "10.1.0.1", 0), "ERR_ADDRESS_FAMILY");
  assert.is(code("10.2.0.0/16", NEXTHOP, "10.1.0.1", -1), "ERR_INTERFACE_ID");
  assert.is(code("10.2.0.0/16", CONNECTED, "", 1), "ERR_ROUTE_INTERFACE");
  assert.is(code("10.2.0.0/16", CONNECTED, "", undefined), "ERR_INTERFACE_ID");
  assert.is(code("10.2.0.0/16", CONNECTED, "10.1.0.1", 0), "ERR_ROUTE_NEXTHOP");
  assert.equal(join.staticRoutes(), []);
});

test("a NEXTHOP route is bound to no interface: its id is kept, and need not exist", () => {
  const join = new JoinConfig([0]);
  join.addStaticRoute("0.0.0.0/0", NEXTHOP, "10.1.0.1", 9);
  join.addStaticRoute("::/0", NEXTHOP, "fd00::1");
  assert.equal(
    join.staticRoutes().map((route) => route.interfaceID),
    [9, 0],
  );
});

test("built from an endpoint it follows the endpoint", () => {
  const endpoint = new EndpointConfig();
  const join = new JoinConfig(endpoint);
  assert.equal(ids(join), []);
  endpoint.addInterface(4);
  assert.equal(ids(join), [4]);
  const [four] = join.interfaceNames();
  four?.setNames("a", "eth");
  endpoint.addInterface(2);
  join.addStaticRoute("10.2.0.0/16", CONNECTED, "", 2);
  assert.equal(ids(join), [4, 2]);
  assert.is(join.interfaceNames()[0], four);
  assert.is(join.interfaceNames()[0]?.srcName(), "a");
  assert.is(join.bindInterfaces([9]), false);
});

test("interfaces may be ids, records or InterfaceInfo objects", () => {
  const given = new EndpointConfig([{ id: 3 }]).interfaces();
  assert.equal(ids(new JoinConfig([1, { id: 2 }, ...given])), [1, 2, 3]);
  assert.equal(ids(new JoinConfig(new Set([8]))), [8]);
  for (const wrong of [5, null, "ab", {}, ["a"], [null], [-1]]) {
    assert.is(refusal(() => new JoinConfig(wrong as never)).code, "ERR_INTERFACE_ID", JSON.stringify(wrong));
  }
  assert.is(refusal(() => new JoinConfig([1, 1])).code, "ERR_INTERFACE_EXISTS");
});

test("built without interfaces it is open until the host binds it, once", () => {
  const join = new JoinConfig();
  assert.equal(ids(join), []);
  assert.match(refusal(() => join.addStaticRoute("10.2.0.0/16", CONNECTED, "", 0)).message, "no interfaces");
  assert.is(refusal(() => join.bindInterfaces([1, 1])).code, "ERR_INTERFACE_EXISTS");
  assert.equal(ids(join), [], "a refused binding leaves nothing behind");
  assert.is(join.bindInterfaces([0, 1]), true);
  assert.is(join.bindInterfaces([2]), false);
  assert.equal(ids(join), [0, 1]);
  assert.is(new JoinConfig([]).bindInterfaces([0]), false, "an empty list is given too");
});

test("lists are frozen, and one handed out does not change later", () => {
  const join = new JoinConfig([0]);
  const before = join.staticRoutes();
  join.addStaticRoute("10.2.0.0/16", CONNECTED, "", 0);
  assert.is(before.length, 0);
  const after = join.staticRoutes();
  assert.ok(
    [before, after, after[0], join.interfaceNames(), join.interfaceNames()[0]].every((each) => Object.isFrozen(each)),
  );
  Object.assign(join.toJSON().staticRoutes[0] ?? {}, { destination: "forged" });
  assert.is(join.staticRoutes()[0]?.destination, "10.2.0.0/16");
});

test.run();
