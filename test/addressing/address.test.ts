/** Addresses in text and as numbers, against ipaddr.js. */
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import {
  type Address,
  formatAddress,
  formatCIDR,
  networkOf,
  parseAddress,
  parseCIDR,
} from "#dist/plugin-addressing.js";
import { assert, suite } from "../harness.js";

const test = suite("addressing: addresses");

const group = fc.oneof(
  { weight: 2, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 0, max: 0xffff }) },
);
const groups = fc.array(group, { minLength: 8, maxLength: 8 });

test("IPv6 in text and back is canonical, as ipaddr.js writes it", () => {
  fc.assert(
    fc.property(groups, (groups) => {
      const address = new ipaddr.IPv6(groups);
      for (const text of [address.toNormalizedString(), address.toRFC5952String()]) {
        const parsed = parseAddress(text);
        assert.is(parsed && formatAddress(parsed), address.toRFC5952String());
      }
    }),
  );
});

test("IPv4 in text and back", () => {
  fc.assert(
    fc.property(fc.ipV4(), (text) => {
      assert.is(formatAddress(parseAddress(text) as Address), text);
    }),
  );
});

test("the network of an address is ipaddr.js's", () => {
  const networkText = (cidr: string): string => {
    const parsed = parseCIDR(cidr);
    return parsed ? formatCIDR(networkOf(parsed)) : "";
  };
  fc.assert(
    fc.property(fc.ipV4(), fc.integer({ min: 0, max: 32 }), (ip, prefix) => {
      const cidr = `${ip}/${prefix}`;
      assert.is(networkText(cidr), `${ipaddr.IPv4.networkAddressFromCIDR(cidr).toString()}/${prefix}`);
    }),
  );
  fc.assert(
    fc.property(groups, fc.integer({ min: 0, max: 128 }), (groups, prefix) => {
      const cidr = `${new ipaddr.IPv6(groups).toRFC5952String()}/${prefix}`;
      assert.is(networkText(cidr), `${ipaddr.IPv6.networkAddressFromCIDR(cidr).toRFC5952String()}/${prefix}`);
    }),
  );
});

test("text that is not an address is refused", () => {
  const wrong = [
    "",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "01.2.3.4",
    "1.2.3.4 ",
    ":",
    ":::",
    "1::2::3",
    "12345::",
    "g::",
    "1:2:3:4:5:6:7",
    "1:2:3:4:5:6:7:8:9",
    "1::2:3:4:5:6:7:8",
    "::1.2.3.4",
  ];
  for (const text of wrong) assert.is(parseAddress(text), undefined, text);
  for (const text of ["10.0.0.1", "10.0.0.1/33", "10.0.0.1/", "fd00::/129", "/24", "10.0.0.1/2a"])
    assert.is(parseCIDR(text), undefined, text);
});

test.run();
