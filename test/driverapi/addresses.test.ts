import { isIPv4, isIPv6 } from "node:net";
import fc from "fast-check";
import { familyOf, parseCIDR, parseDestination, parseIP, parseMAC } from "#dist/driverapi/addresses.js";
import { DriverError } from "#dist/driverapi/errors.js";
import { assert, suite } from "../harness.js";
import { refusal } from "./refusal.js";

const test = suite("driverapi: addresses");

const octet = fc.integer({ min: 0, max: 255 });
const v4 = fc.tuple(octet, octet, octet, octet).map((parts) => parts.join("."));
const bytes16 = fc.tuple(
  ...Array.from({ length: 8 }, () => fc.oneof(fc.constant(0), fc.integer({ max: 0xffff, min: 0 }))),
);
const v6 = bytes16
  .map((groups) => groups.map((group) => group.toString(16)).join(":"))
  .filter((text) => !isMapped(text));

/** RFC 5952 text as the URL standard writes it: a second implementation. */
const urlForm = (text: string): string => new URL(`http://[${text}]/`).hostname.slice(1, -1);
const isMapped = (text: string): boolean => urlForm(text).startsWith("::ffff:") && /^0:0:0:0:0:/.test(text);

/** True unless the parser refuses; anything but a DriverError fails the test. */
function accepts(parse: () => string): boolean {
  try {
    parse();
    return true;
  } catch (error) {
    if (error instanceof DriverError) return false;
    throw error;
  }
}

test("a MAC address in Go's three forms becomes one text", () => {
  for (const text of [
    "02:42:ac:11:00:02",
    "02:42:AC:11:00:02",
    "02-42-ac-11-00-02",
    "0242.ac11.0002",
    "0242.AC11.0002",
  ]) {
    assert.is(parseMAC(text), "02:42:ac:11:00:02");
  }
  assert.is(parseMAC(""), "");
});

test("what is not a MAC address is refused", () => {
  const wrong = ["02:42:ac:11:00", "02:42:ac:11:00:02:03:04", "02:42-ac:11:00:02", "0242ac110002", "2:42:ac:11:0:2"];
  for (const value of [
    ...wrong,
    "02:42:ac:11:00:0g",
    " 02:42:ac:11:00:02",
    "02:42:ac:11:00:02\n",
    null,
    undefined,
    2,
    {},
    [],
  ]) {
    assert.is(refusal(() => parseMAC(value)).code, "ERR_BAD_MAC", String(value));
  }
});

test("addresses become canonical text", () => {
  assert.is(parseIP("10.1.0.2"), "10.1.0.2");
  assert.is(parseIP("FD00:0:0::0002"), "fd00::2");
  assert.is(parseIP("2001:db8:0:1:1:1:1:1"), "2001:db8:0:1:1:1:1:1");
  assert.is(parseIP("64:ff9b::10.0.0.1"), "64:ff9b::a00:1");
  assert.is(parseIP("::10.0.0.1"), "::a00:1", "not the mapped ::ffff:a00:1");
  assert.is(parseCIDR("FD00::0002/064".replace("064", "64")), "fd00::2/64");
  assert.is(parseCIDR("10.1.0.2/24"), "10.1.0.2/24", "host bits are kept, as in an IPNet");
  assert.is(parseCIDR("0.0.0.0/0"), "0.0.0.0/0");
  assert.is(parseCIDR("::/128"), "::/128");
  assert.is(parseIP(""), "");
  assert.is(parseCIDR(""), "");
});

test("loose IPv4 forms are refused", () => {
  for (const text of [
    "010.0.0.1",
    "10.0.0.01",
    "0x0a.0.0.1",
    "167772161",
    "10.1",
    "10.0.1",
    "10.0.0.256",
    "10.0.0.1.",
    "1.2.3.4.5",
  ]) {
    assert.is(refusal(() => parseIP(text)).code, "ERR_BAD_ADDRESS", text);
    assert.is(refusal(() => parseCIDR(`${text}/24`)).code, "ERR_BAD_ADDRESS", text);
  }
});

test("loose IPv6 forms, zones and IPv4-mapped addresses are refused", () => {
  for (const text of [
    "fe80::1%eth0",
    "fe80::1%1",
    "1::2::3",
    ":::",
    "00001::",
    "1:2:3:4:5:6:7",
    "::01.2.3.4",
    "[::1]",
    "::1 ",
  ]) {
    assert.is(refusal(() => parseIP(text)).code, "ERR_BAD_ADDRESS", text);
  }
  for (const text of ["::ffff:10.0.0.1", "::FFFF:a00:1", "0:0:0:0:0:ffff:10.0.0.1"]) {
    assert.match(refusal(() => parseIP(text)).message, "write 10.0.0.1");
  }
  assert.is(refusal(() => parseCIDR("::ffff:10.0.0.0/120")).code, "ERR_BAD_ADDRESS");
});

test("a prefix length is there where it is asked for, decimal and in range", () => {
  for (const text of [
    "10.0.0.1",
    "10.0.0.1/",
    "10.0.0.1/33",
    "10.0.0.1/024",
    "10.0.0.1/-1",
    "10.0.0.1/8/8",
    "10.0.0.1/ 8",
    "::/129",
    "::/1e1",
    "/24",
  ]) {
    assert.is(refusal(() => parseCIDR(text)).code, "ERR_BAD_ADDRESS", text);
  }
  assert.match(refusal(() => parseIP("10.0.0.1/24")).message, "without a prefix length");
});

test("the family asked for is kept", () => {
  assert.is(refusal(() => parseIP("fd00::1", 4)).code, "ERR_ADDRESS_FAMILY");
  assert.is(refusal(() => parseIP("10.0.0.1", 6)).code, "ERR_ADDRESS_FAMILY");
  assert.is(refusal(() => parseCIDR("fd00::1/64", 4)).code, "ERR_ADDRESS_FAMILY");
  assert.match(refusal(() => parseCIDR("10.0.0.1/24", 6)).message, '"10.0.0.1/24" is IPv4, but IPv6 is asked for');
  assert.is(parseIP("", 6), "");
});

test("a destination has no host bits, and the message says what it would be", () => {
  for (const text of ["10.1.0.0/16", "0.0.0.0/0", "10.1.0.2/32", "::/0", "fd00::/48", "fd00::1/128"]) {
    assert.is(parseDestination(text), text);
  }
  assert.is(parseDestination("FD00:0::/48"), "fd00::/48");
  for (const [text, network] of [
    ["10.1.0.2/24", "10.1.0.0/24"],
    ["10.0.0.0/0", "0.0.0.0/0"],
    ["fd00::1/64", "fd00::/64"],
  ] as const) {
    const error = refusal(() => parseDestination(text));
    assert.is(error.code, "ERR_ROUTE_HOST_BITS");
    assert.ok(error.message.endsWith(`write ${network}`), error.message);
  }
  assert.is(refusal(() => parseDestination("")).code, "ERR_BAD_ADDRESS");
});

test("values that are no strings are refused and not looked into", () => {
  const trap = new Proxy(
    {},
    {
      get: () => {
        throw new Error("looked");
      },
    },
  );
  for (const value of [
    null,
    undefined,
    1,
    1n,
    true,
    {},
    [],
    ["10.0.0.1"],
    trap,
    () => "10.0.0.1",
    Symbol("x"),
    new String("10.0.0.1"),
  ]) {
    for (const parse of [parseIP, parseCIDR, parseDestination]) {
      assert.is(refusal(() => parse(value)).code, "ERR_BAD_ADDRESS");
    }
  }
});

test("a huge string costs nothing and is shown shortened", () => {
  const huge = "1:".repeat(5_000_000);
  const started = performance.now();
  for (let i = 0; i < 1000; i++) {
    for (const parse of [parseIP, parseCIDR, parseDestination]) {
      const { message } = refusal(() => parse(huge));
      assert.ok(message.length < 250 && message.endsWith("longer than 64 characters"), message);
    }
    assert.ok(refusal(() => parseMAC(huge)).message.length < 250);
  }
  assert.ok(performance.now() - started < 2000, "4,000 refusals within 2 s");
});

test("a message cannot be broken by what is quoted in it", () => {
  const { message } = refusal(() => parseIP("1\n2\u2028\u202e\u001b[31m"));
  assert.match(message, '"1\\n2\\u2028\\u202e\\u001b[31m"');
});

test("what Node accepts and what is accepted here agree (but for zones and mapped addresses)", () => {
  const piece = fc.constantFrom(
    "::",
    ":",
    ".",
    "0",
    "00",
    "1",
    "a",
    "FfFf",
    "12345",
    "255",
    "256",
    "10.0.0.1",
    "/",
    "g",
  );
  fc.assert(
    fc.property(
      fc.oneof(
        v4,
        v6,
        fc.array(piece, { maxLength: 12 }).map((parts) => parts.join("")),
      ),
      (text) => {
        if (
          text === "" ||
          (isIPv6(text) && urlForm(text).startsWith("::ffff:") && urlForm(text).split(":").length === 5)
        )
          return;
        assert.is(
          accepts(() => parseIP(text)),
          isIPv4(text) || isIPv6(text),
          text,
        );
      },
    ),
    { numRuns: 3000 },
  );
});

test("IPv6 text is what the URL standard writes", () => {
  fc.assert(
    fc.property(v6, (text) => {
      assert.is(parseIP(text), urlForm(text));
      assert.is(parseIP(text.toUpperCase()), urlForm(text), "also from the cache");
    }),
  );
});

test("canonical text is its own canonical text, for both families", () => {
  const cidr = fc.oneof(fc.tuple(v4, fc.integer({ min: 0, max: 32 })), fc.tuple(v6, fc.integer({ min: 0, max: 128 })));
  fc.assert(
    fc.property(cidr, ([ip, prefix]) => {
      const once = parseCIDR(`${ip}/${prefix}`);
      assert.is(parseCIDR(once), once);
      assert.is(parseCIDR(once, familyOf(once)), once);
      assert.is(once.endsWith(`/${prefix}`), true);
    }),
  );
});

test("a destination is accepted exactly if no bit below its prefix is set", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 0, max: 0xffffffff }),
      fc.integer({ min: 0, max: 32 }),
      fc.boolean(),
      (value, prefix, cut) => {
        const mask = prefix === 0 ? 0 : (0xffffffff << (32 - prefix)) >>> 0;
        const address = cut ? (value & mask) >>> 0 : value;
        const text = `${[24, 16, 8, 0].map((shift) => (address >>> shift) & 255).join(".")}/${prefix}`;
        assert.is(
          accepts(() => parseDestination(text)),
          (address & ~mask) >>> 0 === 0,
          text,
        );
      },
    ),
  );
});

test.run();
