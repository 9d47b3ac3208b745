import { CONNECTED, NEXTHOP } from "#dist/driverapi/constants.js";
import { parseInterfaces, parseJoinData } from "#dist/driverapi/data.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import { assert, suite } from "../harness.js";
import { refusal } from "./refusal.js";

const test = suite("driverapi: wire data");
const IDS = new Set([0, 1]);

test("interfaces are rebuilt canonical, unknown fields dropped", () => {
  const wire = [{ id: 0, mac: "02-42-AC-11-00-02", ipv4: "10.1.0.2/24", ipv6: "FD00::0:2/64", evil: 1 }, { id: 1 }];
  const parsed = parseInterfaces(wire, 2);
  assert.equal(parsed, [
    { id: 0, mac: "02:42:ac:11:00:02", ipv4: "10.1.0.2/24", ipv6: "fd00::2/64" },
    { id: 1, mac: "", ipv4: "", ipv6: "" },
  ]);
  assert.ok(parsed[0] !== (wire[0] as unknown));
});

test("a wrong interface is refused by its rule, with its place", () => {
  const cases: [unknown, string, string][] = [
    [[{ id: 0 }, { id: 0 }], "ERR_INTERFACE_EXISTS", "interfaces[1]: interface 0"],
    [[{ id: "0" }], "ERR_INTERFACE_ID", 'interfaces[0]: "0"'],
    [[{ id: 0, mac: 5 }], "ERR_BAD_MAC", "interfaces[0]: 5"],
    [[{ id: 0, ipv4: "fd00::2/64" }], "ERR_ADDRESS_FAMILY", "interfaces[0]: "],
    [[{ id: 0, ipv6: ["fd00::2/64"] }], "ERR_BAD_ADDRESS", "interfaces[0]: "],
    [[{ id: 0 }, null], "ERR_DRIVER_REPLY", "interfaces[1]: "],
    [[[0]], "ERR_DRIVER_REPLY", "interfaces[0]: it is a list"],
    [["x"], "ERR_DRIVER_REPLY", "interfaces[0]: "],
    [{ length: 0 }, "ERR_DRIVER_REPLY", "interfaces is an object"],
    [null, "ERR_DRIVER_REPLY", "interfaces is null"],
    [undefined, "ERR_DRIVER_REPLY", "interfaces is undefined"],
    [[{ id: 0 }, { id: 1 }, { id: 2 }], "ERR_DRIVER_REPLY", "interfaces has 3 entries, and may have 2"],
    [new Array(4294967295), "ERR_DRIVER_REPLY", "interfaces has 4294967295 entries"],
    [[JSON.parse('{"__proto__":{"id":0}}')], "ERR_INTERFACE_ID", "interfaces[0]: undefined"],
  ];
  for (const [value, code, words] of cases) {
    const error = refusal(() => parseInterfaces(value, 2));
    assert.is(error.code, code, error.message);
    assert.ok(error.message.startsWith(words), error.message);
  }
});

test("join data is rebuilt canonical and equals what a JoinConfig gives", () => {
  const join = new JoinConfig([0, 1]);
  join.interfaceNames()[0]?.setNames("veth0", "eth");
  join.setGateway("10.1.0.1");
  join.addStaticRoute("10.2.0.0/16", NEXTHOP, "10.1.0.254", 0);
  join.addStaticRoute("fd01::/48", CONNECTED, "", 1);
  const wire = JSON.parse(JSON.stringify(join));
  assert.equal(parseJoinData({ ...wire, evil: 1 }, IDS, 2), join.toJSON());
});

test("what is absent in join data is empty", () => {
  assert.equal(parseJoinData({}, IDS, 0), { names: [], gateway: "", gatewayIPv6: "", staticRoutes: [] });
});

test("wrong join data is refused by its rule, with its place", () => {
  const names = { id: 0, srcName: "a", dstPrefix: "eth" };
  const route = { destination: "10.2.0.0/16", routeType: 0, nextHop: "10.1.0.1", interfaceID: 0 };
  const cases: [unknown, string, string][] = [
    [null, "ERR_DRIVER_REPLY", "the join's result is null"],
    [[], "ERR_DRIVER_REPLY", "the join's result is a list"],
    [{ names: 5 }, "ERR_DRIVER_REPLY", "names is 5"],
    [{ names: [names, names] }, "ERR_INTERFACE_EXISTS", "names[1]: "],
    [{ names: [{ ...names, id: 2 }] }, "ERR_INTERFACE_ID", "names[0]: interface 2 does not belong"],
    [{ names: [names, names, names] }, "ERR_DRIVER_REPLY", "names has 3 entries"],
    [{ names: [{ ...names, srcName: "" }] }, "ERR_INTERFACE_NAME", "names[0]: "],
    [{ names: [{ ...names, dstPrefix: "a/b" }] }, "ERR_INTERFACE_NAME", "names[0]: "],
    [{ gateway: "fd00::1" }, "ERR_ADDRESS_FAMILY", "gateway: "],
    [{ gateway: 1 }, "ERR_BAD_ADDRESS", "gateway: 1"],
    [{ gatewayIPv6: "10.1.0.1" }, "ERR_ADDRESS_FAMILY", "gatewayIPv6: "],
    [{ staticRoutes: [route, route, route] }, "ERR_DRIVER_REPLY", "staticRoutes has 3 entries, and may have 2"],
    [{ staticRoutes: [route, { ...route, routeType: 2 }] }, "ERR_ROUTE_TYPE", "staticRoutes[1]: "],
    [
      { staticRoutes: [{ ...route, routeType: 1, nextHop: "", interfaceID: 2 }] },
      "ERR_ROUTE_INTERFACE",
      "staticRoutes[0]: ",
    ],
    [{ staticRoutes: [{ ...route, destination: "10.2.0.1/16" }] }, "ERR_ROUTE_HOST_BITS", "staticRoutes[0]: "],
    [{ staticRoutes: ["x"] }, "ERR_DRIVER_REPLY", "staticRoutes[0]: "],
  ];
  for (const [value, code, words] of cases) {
    const error = refusal(() => parseJoinData(value, IDS, 2));
    assert.is(error.code, code, error.message);
    assert.ok(error.message.startsWith(words), error.message);
  }
});

test("a reply of one interface is cheap", () => {
  const wire = [{ id: 0, mac: "02:42:ac:11:00:02", ipv4: "10.1.0.2/24", ipv6: "fd00::2/64" }];
  for (let i = 0; i < 20_000; i++) parseInterfaces(wire, 256);
  const started = performance.now();
  for (let i = 0; i < 100_000; i++) parseInterfaces(wire, 256);
  const each = ((performance.now() - started) * 1000) / 100_000;
  console.log(`NOTE one interface parses in ${each.toFixed(2)} µs`);
  assert.ok(each < 20, `${each} µs`);
});

test.run();
