import fc from "fast-check";
import { parseInterfaces } from "#dist/driverapi/data.js";
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import type { EndpointInfo } from "#dist/driverapi/types.js";
import { assert, suite } from "../harness.js";
import { refusal } from "./refusal.js";

const test = suite("driverapi: EndpointConfig");
const MAC = "02:42:ac:11:00:02";

test("built empty, it is filled by the driver", () => {
  const endpoint: EndpointInfo = new EndpointConfig();
  assert.equal(endpoint.interfaces(), []);
  endpoint.addInterface(0, "02-42-AC-11-00-02", "10.1.0.2/24", "FD00::0:2/64");
  endpoint.addInterface(7, "", "", "");
  const [first, second] = endpoint.interfaces();
  if (first === undefined || second === undefined) throw new Error("two interfaces expected");
  assert.equal(
    [first.id(), first.macAddress(), first.address(), first.addressIPv6()],
    [0, MAC, "10.1.0.2/24", "fd00::2/64"],
  );
  assert.equal([second.id(), second.macAddress(), second.address(), second.addressIPv6()], [7, "", "", ""]);
});

test("a given list is only consumed", () => {
  const endpoint = new EndpointConfig([{ id: 1, mac: MAC, ipv4: "10.1.0.2/24" }]);
  assert.is(refusal(() => endpoint.addInterface(2, "", "", "")).code, "ERR_INTERFACES_GIVEN");
  assert.is(endpoint.interfaces().length, 1);
});

test("an empty given list is left to the driver", () => {
  const endpoint = new EndpointConfig([]);
  endpoint.addInterface(0, "", "", "");
  endpoint.addInterface(1, "", "", "");
  assert.is(endpoint.interfaces().length, 2);
});

test("interfaces can be given as InterfaceInfo objects, of any implementation and any iterable", () => {
  const own = new EndpointConfig([{ id: 3, ipv6: "fd00::2/64" }]);
  class Foreign {
    id(): number {
      return 4;
    }
    macAddress(): string {
      return MAC.toUpperCase();
    }
    address(): string {
      return "";
    }
    addressIPv6(): string {
      return "";
    }
  }
  const endpoint = new EndpointConfig(new Set([...own.interfaces(), new Foreign()]));
  assert.equal(endpoint.toJSON(), [
    { id: 3, mac: "", ipv4: "", ipv6: "fd00::2/64" },
    { id: 4, mac: MAC, ipv4: "", ipv6: "" },
  ]);
});

test("undefined and null are zero values", () => {
  const endpoint = new EndpointConfig([{ id: 0, mac: null, ipv4: undefined }]);
  assert.equal(endpoint.toJSON(), [{ id: 0, mac: "", ipv4: "", ipv6: "" }]);
  const filled = new EndpointConfig();
  filled.addInterface(0);
  filled.addInterface(1, null, undefined, null);
  assert.is(filled.interfaces().length, 2);
});

test("ids are non-negative safe integers, used once", () => {
  const endpoint = new EndpointConfig();
  for (const id of [-1, 0.5, Number.NaN, 2 ** 53, "0", null, undefined, {}, 1n]) {
    assert.is(refusal(() => endpoint.addInterface(id as number)).code, "ERR_INTERFACE_ID");
  }
  endpoint.addInterface(-0);
  assert.ok(Object.is(endpoint.interfaces()[0]?.id(), 0), "-0 is 0");
  assert.is(refusal(() => endpoint.addInterface(0)).code, "ERR_INTERFACE_EXISTS");
  assert.is(refusal(() => new EndpointConfig([{ id: 1 }, { id: 1 }])).code, "ERR_INTERFACE_EXISTS");
});

test("addresses are checked by family, and a refused interface leaves no trace", () => {
  const endpoint = new EndpointConfig();
  assert.is(refusal(() => endpoint.addInterface(0, "x", "", "")).code, "ERR_BAD_MAC");
  assert.is(refusal(() => endpoint.addInterface(0, "", "10.1.0.2", "")).code, "ERR_BAD_ADDRESS");
  assert.is(refusal(() => endpoint.addInterface(0, "", "fd00::2/64", "")).code, "ERR_ADDRESS_FAMILY");
  assert.is(refusal(() => endpoint.addInterface(0, "", "", "10.1.0.2/24")).code, "ERR_ADDRESS_FAMILY");
  assert.equal(endpoint.toJSON(), []);
});

test("what is not a list of interfaces is refused with a DriverError", () => {
  for (const given of [5, null, "ab", {}, [5], [null], [{}]]) {
    assert.is(refusal(() => new EndpointConfig(given as never)).code, "ERR_INTERFACE_ID", JSON.stringify(given));
  }
});

test("lists and interfaces are frozen; a list handed out does not change later", () => {
  const endpoint = new EndpointConfig();
  const before = endpoint.interfaces();
  endpoint.addInterface(0);
  const after = endpoint.interfaces();
  assert.is(before.length, 0);
  assert.ok(Object.isFrozen(before) && Object.isFrozen(after) && Object.isFrozen(after[0]));
  assert.is(endpoint.interfaces(), after);
  const data = endpoint.toJSON();
  Object.assign(data[0] ?? {}, { mac: "forged" });
  assert.is(endpoint.interfaces()[0]?.macAddress(), "");
  assert.is(endpoint.toJSON()[0]?.mac, "");
});

test("its JSON is canonical wire data", () => {
  const hex = fc.integer({ min: 0, max: 255 }).map((byte) => byte.toString(16).padStart(2, "0"));
  const record = fc.record({
    id: fc.maxSafeNat(),
    mac: fc.option(fc.array(hex, { minLength: 6, maxLength: 6 }).map((bytes) => bytes.join("-").toUpperCase())),
    ipv4: fc.option(fc.tuple(fc.ipV4(), fc.integer({ min: 0, max: 32 })).map((parts) => parts.join("/"))),
    ipv6: fc.option(fc.tuple(fc.ipV6(), fc.integer({ min: 0, max: 128 })).map(([ip, bits]) => `${plain(ip)}/${bits}`)),
  });
  fc.assert(
    fc.property(fc.uniqueArray(record, { selector: ({ id }) => id, maxLength: 8 }), (records) => {
      const json = new EndpointConfig(records).toJSON();
      assert.equal(parseInterfaces(JSON.parse(JSON.stringify(json)), 8), json);
      assert.equal(new EndpointConfig(json).toJSON(), json);
      assert.equal(
        json.map(({ id }) => id),
        records.map(({ id }) => id),
      );
    }),
  );
});

/** Without a dotted tail, which could make the address an IPv4-mapped one. */
function plain(ip: string): string {
  return ip.includes(".") || /^[0:]*:ffff:/i.test(ip) ? "fd00::2" : ip;
}

test.run();
