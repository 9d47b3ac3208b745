/** Optional permissions: asked for exactly where the policy names them; and a firewall's ports where both sides name some. */

import { commonRanges, covers, parseRange } from "#dist/permissions/firewall/ports.js";
import { effectiveGrant } from "#dist/policy/effective.js";
import { limitsText } from "#dist/policy/grant-command.js";
import type { Manifest } from "#dist/policy/manifest/schema.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { assert, suite } from "../harness.js";

const test = suite("policy: optional permissions, and firewall");

function grantOf(manifest: object, grant: object) {
  const policy = parsePolicy({ plugins: { bridge: { grant } } });
  return effectiveGrant({ id: "bridge", manifest: manifest as Manifest, policy });
}

test("what is optional waits for no grant, and is in force where the policy names it", () => {
  const manifest = { permissions: { log: true }, optionalPermissions: { firewall: true } };
  const without = grantOf(manifest, {});
  assert.equal([Object.keys(without.permissions), without.missing], [["log"], []]);
  const granted = grantOf(manifest, { firewall: { ports: ["8000-8999"] } });
  assert.equal(granted.permissions.firewall, { max: 1024, ports: ["8000-8999"] });
  assert.equal(granted.missing, []);
  assert.is(granted.isolation, "dedicated");
});

test("ports are the policy's own word: without it the plugin waits, and the text says where to write it", () => {
  for (const [asked, given] of [
    [true, true],
    [{ ports: ["8000"] }, true],
    [{ ports: ["8000"] }, { ports: ["9000"] }],
  ] as const) {
    const { missing } = grantOf({ permissions: { firewall: asked } }, { firewall: given });
    assert.equal(missing, [{ permission: "firewall.ports", asked: true, granted: null, unnamed: true }]);
    assert.match(limitsText("bridge", missing, {}, { policy: "p.json" }) ?? "", "plugins.bridge.grant.firewall.ports");
  }
});

test("of two lists of ranges, what both hold", () => {
  const { permissions } = grantOf(
    { permissions: { firewall: { ports: ["1-100", "8500-9500"], max: 9 } } },
    { firewall: { ports: ["80", "8000-8999"], max: 4 } },
  );
  assert.equal(permissions.firewall, { max: 4, ports: ["80", "8500-8999"] });
  assert.equal(commonRanges(["1-2"], ["2-3"]), ["2"]);
  assert.ok(covers("1-100", "80"));
  assert.not.ok(covers("80", "1-100"));
});

test("an invalid range is refused, by file, path and form", () => {
  for (const text of ["0", "65536", "9-8", "08", "http", "1-", "1-2-3", "", " 80"]) {
    assert.is(parseRange(text), undefined, text);
    assert.throws(
      () => parsePolicy({ plugins: { a: { grant: { firewall: { ports: [text] } } } } }),
      /plugins\.a\.grant\.firewall\.ports.*must be a port or a range of ports/s,
    );
  }
});

test.run();
