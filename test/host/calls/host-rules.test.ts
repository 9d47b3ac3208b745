/** What a driver may not record: the machine's addresses and links, what its grant does not hold, routes past the gateway. */
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { checkInterfaces, checkJoin, type HostView, refusedRange } from "#dist/host/calls/host-rules.js";
import type { DriverError } from "#dist/index.js";
import { assert, suite } from "../../harness.js";

const test = suite("host rules");

const MACHINE: HostView = {
  refresh: () => undefined,
  addresses: () => new Set(["10.64.5.2", "fd64:0:5::2"]),
  links: () => new Set(["lo", "eth0", "bh-mine"]),
};
const SUBNETS = ["10.64.0.0/10", "fd64::/32"];
const NOTHING = { names: [], gateway: "", gatewayIPv6: "", staticRoutes: [] };

/** The words of the refusal; "" where there is none. */
function refusal(body: () => void): string {
  try {
    body();
    return "";
  } catch (error) {
    assert.is((error as DriverError).code, "ERR_DRIVER_REPLY");
    return (error as DriverError).message;
  }
}

const recorded = (mac: string, ipv4: string, ipv6: string, granted: "links" | "nothing" = "links") =>
  refusal(() => checkInterfaces([{ id: 0, mac, ipv4, ipv6 }], MACHINE, granted === "links" ? SUBNETS : undefined));

const routed = (destination: string) =>
  refusal(() =>
    checkJoin(
      { ...NOTHING, staticRoutes: [{ destination, routeType: 1, nextHop: "", interfaceID: 0 }] },
      MACHINE,
      () => false,
    ),
  );

test("ranges that no endpoint can have: as ipaddr.js has them", () => {
  const octet = fc.oneof(fc.nat(255), fc.constantFrom(0, 127, 223, 224, 239, 240, 255));
  const ipv4 = fc.tuple(octet, octet, octet, octet).map((all) => all.join("."));
  fc.assert(
    fc.property(
      fc.oneof(ipv4, fc.constantFrom("255.255.255.255", "0.0.0.0", "::", "::1", "ff02::1", "fd00::1")),
      (one) => {
        const range = ipaddr.parse(one).range();
        const refused = ["unspecified", "broadcast", "multicast", "loopback"].includes(range);
        assert.is(refusedRange(one), refused ? range : undefined, one);
      },
    ),
    { numRuns: 2000 },
  );
});

test("addresses: within the grant, and none of the machine's", () => {
  assert.is(recorded("02:42:0a:40:00:02", "10.64.0.2/24", "fd64::2/64"), "");
  assert.match(recorded("", "192.168.1.1/24", ""), /192\.168\.1\.1\/24 is outside the granted subnets/);
  assert.match(recorded("", "", "2001:db8::1/64"), /2001:db8::1\/64 is outside the granted subnets/);
  assert.match(recorded("", "10.64.5.2/32", ""), /address of the host itself/);
  assert.match(recorded("", "", "fd64:0:5::2/64"), /address of the host itself/);
  for (const cidr of ["127.0.0.1/8", "224.0.0.1/4", "255.255.255.255/32", "0.0.0.0/8"])
    assert.match(recorded("", cidr, ""), /which an endpoint cannot have/, cidr);
  assert.is(recorded("", "192.168.1.1/24", "", "nothing"), "");
});

test("MAC addresses of a driver with links: unicast, locally administered", () => {
  for (const mac of ["00:50:56:00:00:01", "01:00:5e:00:00:01", "03:00:00:00:00:01", "ff:ff:ff:ff:ff:ff"])
    assert.match(recorded(mac, "", ""), /not a unicast, locally administered MAC/, mac);
});

test("names: of the machine's links only the plugin's own", () => {
  const join = (srcName: string) => ({ ...NOTHING, names: [{ id: 0, srcName, dstPrefix: "eth" }] });
  const owns = (link: string): boolean => link === "bh-mine";
  assert.match(
    refusal(() => checkJoin(join("eth0"), MACHINE, owns)),
    /"eth0" is a link of the host/,
  );
  assert.is(
    refusal(() => checkJoin(join("bh-mine"), MACHINE, owns)),
    "",
  );
});

test("static routes: no default route, no half, no quarter, not all of the IPv6 Internet", () => {
  for (const destination of ["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "64.0.0.0/2", "192.0.0.0/3", "2000::/3"])
    assert.match(routed(destination), /would take most of the traffic/, destination);
  for (const destination of ["10.0.0.0/8", "10.70.0.0/10", "fd70::/48", "10.71.0.0/31"])
    assert.is(routed(destination), "", destination);
});

test.run();
