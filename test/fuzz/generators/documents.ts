/** Manifests and policies of about the right shape. */
import fc from "fast-check";
import { cidr, v4 } from "./replies.js";
import { anyText, members, poison } from "./values.js";

const count = fc.oneof(fc.integer({ min: 1, max: 300 }), fc.constantFrom(0, 65_536, 600_001, 2 ** 24));
const word = fc.oneof(fc.constantFrom("x", "bridge", "Other_type-2", "..", "a b", ""), anyText(5));
const network = fc.oneof(
  fc.constantFrom(
    "10.64.0.0/10",
    "fd64::/32",
    "192.168.7.0/24",
    "FD64::/32",
    "10.0.0.1/8",
    "10.0.0.0/4",
    "127.0.0.0/8",
  ),
  fc.constantFrom("fe80::/64", "::/0", "ff00::/48", "169.254.0.0/16", "10.0.0.0", "fe80::1%x/64", ""),
  cidr(v4, 33),
);
const isolation = fc.constantFrom("thread", "process", "dedicated", "none");
const scope = fc.constantFrom("local", "global", "swarm");
const limit = (...names: string[]): fc.Arbitrary<unknown> =>
  fc.oneof(fc.constant<unknown>(true), members(Object.fromEntries(names.map((one) => [one, count]))));
const permissions = {
  log: limit("linesPerSecond", "lineChars"),
  timers: limit("minimumMs", "count"),
  clock: limit("resolutionMs"),
  random: limit("bytes"),
  store: limit("bytes", "keys"),
  netlink: members({
    kinds: fc.array(fc.constantFrom("bridge", "veth", "tun"), { maxLength: 3 }),
    prefix: fc.constantFrom("bh", "br", "b", "BH"),
    max: count,
    subnets: fc.array(network, { maxLength: 3 }),
    remotes: fc.array(network, { maxLength: 2 }),
    parents: fc.array(fc.constantFrom("eth0", "eth0/1"), { maxLength: 2 }),
    passthru: fc.boolean(),
    vniFrom: count,
    ports: fc.array(count, { maxLength: 3 }),
  }),
};
const timeouts = members(
  Object.fromEntries(["default", "init", "createNetwork", "join", "type"].map((one) => [one, count])),
);
const limits = members({ memoryMb: count, drivers: count });
const types = fc.array(word, { maxLength: 4 });
const manifest = members({
  $schema: word,
  name: fc.constantFrom("x", "y", "X"),
  version: word,
  description: word,
  apiVersion: fc.constantFrom(1, 2),
  main: fc.constantFrom("a.js", "src/a.ts", "../a.js", "/a.js", "a\\b.js", "a.d.ts", "a.json", "C:a.js", "a\n.js"),
  networkTypes: types,
  scope,
  permissions: members(permissions),
  timeouts,
  limits,
  isolation,
  recovery: fc.constantFrom("replay", "self", "none"),
  docker: fc.constantFrom(true, false, 0),
});
const entry = members({
  grant: members({ scope, ...permissions }),
  options: fc.dictionary(word, fc.dictionary(word, poison, { maxKeys: 2 }), { maxKeys: 2 }),
  timeouts,
  limits,
  isolation,
  networkTypes: types,
  sha256: fc.constantFrom("0".repeat(64), "G".repeat(64), ""),
  update: fc.constantFrom("ask", "same-grant", "never"),
});
const policy = members({
  $schema: word,
  sandbox: fc.constantFrom("bubblewrap", "auto", "node", "none", "docker"),
  defaults: members({ timeouts, limits, isolation }),
  plugins: fc.dictionary(fc.constantFrom("x", "bridge", "constructor", "a-1", "A", ""), entry, { maxKeys: 4 }),
});
/** Valid each by itself. */
const neighbours = fc.dictionary(
  fc.constantFrom("x", "y", "bridge", "macvlan"),
  fc.constantFrom("b", "bh", "bhx", "mv").map((prefix) => ({ grant: { netlink: { prefix } } })),
);

/** Objects of many members, all wrong or all right, where a document may hold any. */
const wide = fc.tuple(fc.integer({ min: 2, max: 4000 }), fc.constantFrom("", "A", "a"), poison);

function documentText(shape: fc.Arbitrary<unknown>, places: readonly string[]): fc.Arbitrary<string> {
  const wideText = fc.tuple(fc.constantFrom("?", ...places), wide).map(([place, [count, stem, value]]) => {
    const text = JSON.stringify(value);
    const list = Array.from({ length: count }, (_, at) => `"${stem}${at.toString(36)}":${text}`);
    return place.replace("?", () => `{${list.join()}}`);
  });
  return fc.oneof(
    {
      weight: 160,
      arbitrary: fc
        .tuple(shape, fc.constantFrom(0, 0, 2))
        .map(([value, indent]) => JSON.stringify(value, undefined, indent)),
    },
    { weight: 20, arbitrary: anyText(20) },
    { weight: 20, arbitrary: fc.json({ maxDepth: 4 }) },
    { weight: 1, arbitrary: wideText },
  );
}

export const manifestText: fc.Arbitrary<string> = documentText(
  manifest,
  ["permissions", "timeouts", "limits", "networkTypes"].map((one) => `{"${one}":?}`),
);
const policies = fc.oneof(
  { weight: 9, arbitrary: policy },
  { weight: 1, arbitrary: fc.record({ plugins: neighbours }) },
);
export const policyText: fc.Arbitrary<string> = documentText(policies, [
  ...['{"plugins":?}', '{"plugins":{"x":?}}', '{"plugins":{"x":{"grant":?}}}', '{"plugins":{"x":{"options":?}}}'],
  ...['{"plugins":{"x":{"options":{"x":?}}}}', '{"defaults":?}', '{"plugins":{"x":{"grant":{"netlink":?}}}}'],
]);
