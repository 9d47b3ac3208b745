/** Every name of the seed (docker/libnetwork's driverapi, 2015) has its counterpart here. */
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import * as constants from "#dist/driverapi/constants.js";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import * as driverapi from "#dist/driverapi/index.js";
import { JoinConfig } from "#dist/driverapi/join-config.js";
import type {
  Capability,
  Driver,
  DriverCallback,
  EndpointInfo,
  HostedDriver,
  InterfaceInfo,
  InterfaceNameInfo,
  JoinInfo,
  Scope,
} from "#dist/driverapi/types.js";
import * as platform from "#dist/index.js";
import * as plugin from "#dist/plugin.js";
import { assert, suite } from "../harness.js";

const test = suite("driverapi: the seed");

/** Go type → Go method or field → [our name, how many arguments the seed has]. Read off driverapi.go by hand. */
const SEED = {
  Driver: {
    Config: ["config", 1],
    CreateNetwork: ["createNetwork", 2],
    DeleteNetwork: ["deleteNetwork", 1],
    CreateEndpoint: ["createEndpoint", 4],
    DeleteEndpoint: ["deleteEndpoint", 2],
    EndpointOperInfo: ["endpointOperInfo", 2],
    Join: ["join", 5],
    Leave: ["leave", 2],
    Type: ["type", 0],
  },
  EndpointInfo: { Interfaces: ["interfaces", 0], AddInterface: ["addInterface", 4] },
  InterfaceInfo: {
    MacAddress: ["macAddress", 0],
    Address: ["address", 0],
    AddressIPv6: ["addressIPv6", 0],
    ID: ["id", 0],
  },
  InterfaceNameInfo: { SetNames: ["setNames", 2], ID: ["id", 0] },
  JoinInfo: {
    InterfaceNames: ["interfaceNames", 0],
    SetGateway: ["setGateway", 1],
    SetGatewayIPv6: ["setGatewayIPv6", 1],
    AddStaticRoute: ["addStaticRoute", 4],
  },
  DriverCallback: { RegisterDriver: ["registerDriver", 3] },
} as const;

/** Go constant → ours. */
const CONSTANTS = {
  NetworkPluginEndpointType: ["NetworkPluginEndpointType", "NetworkDriver"],
  LocalScope: ["LocalScope", "local"],
  GlobalScope: ["GlobalScope", "global"],
  "types.NEXTHOP": ["NEXTHOP", 0],
  "types.CONNECTED": ["CONNECTED", 1],
} as const;

const SAID = { LocalScope: "local", GlobalScope: "global", NEXTHOP: 0, CONNECTED: 1 };

/** An object with the methods of a Go interface, each as long as the seed's. The compiler checks the names below. */
const methods = (type: keyof typeof SEED): string[] => Object.values(SEED[type]).map(([name]) => name);

test("a platform and a plugin's author import Scope's and the routes' constants, each from their own entrance", () => {
  for (const entrance of [platform, plugin]) {
    const { LocalScope, GlobalScope, NEXTHOP, CONNECTED } = entrance;
    assert.equal({ LocalScope, GlobalScope, NEXTHOP, CONNECTED }, SAID);
  }
});

test("the constants have the seed's names and their values", () => {
  for (const [name, value] of Object.values(CONSTANTS)) {
    assert.is(Reflect.get(constants, name), value);
    assert.is(Reflect.get(driverapi, name), value);
  }
});

test("the nine methods are listed in the seed's order", () => {
  assert.is(constants.DRIVER_METHODS.length, 9);
  assert.equal([...constants.DRIVER_METHODS], methods("Driver"));
});

test("the optional methods are those of libnetwork's later driverapi, and no part of the nine", () => {
  assert.equal([...constants.OPTIONAL_DRIVER_METHODS], ["programExternalConnectivity", "revokeExternalConnectivity"]);
  assert.equal(
    methods("Driver").filter((name) => /External/.test(name)),
    [],
  );
});

test("every interface of the seed is declared with every method, and takes the seed's arguments", async () => {
  const declared = await readFile(fileURLToPath(import.meta.resolve("#dist/driverapi/types.d.ts")), "utf8");
  const bare = declared.replace(/\/\*[\s\S]*?\*\//g, "");
  for (const [type, members] of Object.entries(SEED)) {
    const body = new RegExp(`export interface ${type}\\b[^{]*\\{([\\s\\S]*?)\\n\\}`).exec(bare)?.[1] ?? "";
    const found = [...body.matchAll(/^ {4}(\w+)\(([^)]*)\)/gm)].map(([, name, args = ""]) => {
      const own = args.split(",").filter((arg) => arg.trim() !== "" && !/^\s*ctx\b/.test(arg));
      return [name, own.length];
    });
    const expected = Object.values(members).map(([name, count]) => [name, count]);
    assert.equal(found.sort(), expected.sort(), type);
  }
});

test("Capability and Scope", () => {
  const scopes: Scope[] = [constants.LocalScope, constants.GlobalScope];
  const capability: Capability = { scope: "local" };
  assert.ok(scopes.includes(capability.scope));
});

test("a driver written as the seed says compiles, and a hosted driver can stand in its place", async () => {
  const seen: string[] = [];
  const driver: Driver = {
    config() {},
    createNetwork(nid) {
      seen.push(nid);
    },
    async deleteNetwork() {},
    createEndpoint(_nid, _eid, epInfo: EndpointInfo) {
      epInfo.addInterface(0, "", "10.1.0.2/24", "");
    },
    deleteEndpoint() {},
    endpointOperInfo: () => ({}),
    join(_nid, _eid, _sboxKey, jinfo: JoinInfo) {
      for (const each of jinfo.interfaceNames()) each.setNames(`veth${each.id()}`, "eth");
      jinfo.setGateway("10.1.0.1");
    },
    leave() {},
    type: () => "seed",
  };
  const registered = new Map<string, Driver>();
  const callback: DriverCallback = { registerDriver: (name, given) => void registered.set(name, given) };
  await callback.registerDriver("seed", driver, { scope: "local" });
  const ctx = { signal: new AbortController().signal, replay: false };
  const endpoint = new EndpointConfig();
  const join = new JoinConfig(endpoint);
  const found = registered.get("seed");
  await found?.createNetwork("n", {}, ctx);
  await found?.createEndpoint("n", "e", endpoint, {}, ctx);
  await found?.join("n", "e", "/var/run/netns/x", join, {}, ctx);
  assert.equal(seen, ["n"]);
  assert.equal(join.toJSON().names, [{ id: 0, srcName: "veth0", dstPrefix: "eth" }]);
  const asDriver = (hosted: HostedDriver): Driver => hosted;
  assert.type(asDriver, "function");
});

test("the ready-made classes have the seed's methods", () => {
  const endpoint = new EndpointConfig([{ id: 0 }]);
  const join = new JoinConfig(endpoint);
  const [info]: readonly (InterfaceInfo | undefined)[] = endpoint.interfaces();
  const [names]: readonly (InterfaceNameInfo | undefined)[] = join.interfaceNames();
  const ready = { EndpointInfo: endpoint, InterfaceInfo: info, InterfaceNameInfo: names, JoinInfo: join } as const;
  for (const [type, object] of Object.entries(ready)) {
    for (const name of methods(type as keyof typeof ready)) {
      assert.type(Reflect.get(object as object, name), "function", `${type}.${name}`);
    }
  }
});

test.run();
