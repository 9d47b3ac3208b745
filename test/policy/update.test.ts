/** A changed plugin compared with what it was: what it asks for, and whether "same-grant" lets it in. */
import { parseManifest } from "#dist/policy/manifest/parse-manifest.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { judgeUpdate, type Update } from "#dist/policy/update.js";
import { assert, suite } from "../harness.js";

const test = suite("policy/update");

interface Case {
  /** The plugin's entry; `update` is "same-grant" unless it says otherwise. */
  readonly entry?: Readonly<Record<string, unknown>>;
  readonly defaults?: Readonly<Record<string, unknown>>;
  /** The pinned version's manifest; absent: not known. */
  readonly pinned?: Readonly<Record<string, unknown>>;
  readonly former?: Readonly<Record<string, unknown>>;
  readonly now: Readonly<Record<string, unknown>>;
}

function judge({ entry = {}, defaults = {}, pinned, former, now }: Case): Update {
  const manifest = (given: object) => parseManifest(JSON.stringify(given), "plugin.json", "p");
  return judgeUpdate({
    id: "p",
    manifest: manifest(now),
    policy: parsePolicy({ defaults, plugins: { p: { update: "same-grant", ...entry } } }),
    ...(pinned ? { pinned: { manifest: manifest(pinned) } } : {}),
    ...(former ? { former: { manifest: manifest(former) } } : {}),
  });
}

const NOT = '; "update": "same-grant" does not cover that';
const WIDE = { grant: { scope: "global", store: { bytes: 5000 }, log: true, timers: true, netlink: { max: 9 } } };
const links = { kinds: ["veth"], prefix: "pp", subnets: ["10.64.0.0/16"] };

/** What is different now, seen from the pinned version; the texts are whole. */
const SINCE: readonly [name: string, pinned: object, now: object, text: string, more: boolean][] = [
  [
    "a permission more",
    { permissions: { log: true } },
    { permissions: { log: true, timers: true } },
    '+timers {"minimumMs":1,"count":256}',
    true,
  ],
  ["a permission less", { permissions: { log: true, timers: true } }, { permissions: { log: true } }, "-timers", false],
  [
    "a limit raised",
    { permissions: { store: { bytes: 1000 } } },
    { permissions: { store: { bytes: 2000 } } },
    "store.bytes 1000 → 2000",
    true,
  ],
  [
    "a limit lowered",
    { permissions: { store: { bytes: 1000 } } },
    { permissions: { store: { bytes: 1 } } },
    "store.bytes 1000 → 1",
    false,
  ],
  [
    "a limit given up",
    { permissions: { store: { bytes: 1000 } } },
    { permissions: { store: true } },
    "store.bytes 1000 → 5000",
    true,
  ],
  [
    "over what is granted",
    { permissions: { store: { bytes: 1000 } } },
    { permissions: { store: { bytes: 9000 } } },
    "store.bytes 1000 → 9000",
    true,
  ],
  [
    "a floor lowered",
    { permissions: { timers: { minimumMs: 9 } } },
    { permissions: { timers: { minimumMs: 8 } } },
    "timers.minimumMs 9 → 8",
    true,
  ],
  [
    "a floor raised",
    { permissions: { timers: { minimumMs: 8 } } },
    { permissions: { timers: { minimumMs: 9 } } },
    "timers.minimumMs 8 → 9",
    false,
  ],
  ["a wider scope", {}, { scope: "global" }, 'scope "local" → "global"', true],
  ["a narrower scope", { scope: "global" }, {}, 'scope "global" → "local"', false],
  ["another type", { networkTypes: ["a"] }, { networkTypes: ["b"] }, '+type "b", -type "a"', true],
  ["a type less", { networkTypes: ["a", "b"] }, { networkTypes: ["b"] }, '-type "a"', false],
  [
    "a weaker isolation",
    { isolation: "dedicated", permissions: { log: true } },
    { permissions: { log: true } },
    'isolation "dedicated" → "process"',
    true,
  ],
  [
    "a stronger isolation",
    { permissions: { log: true } },
    { isolation: "dedicated", permissions: { log: true } },
    'isolation "process" → "dedicated"',
    false,
  ],
  ["more memory", { limits: { memoryMb: 16 } }, { limits: { memoryMb: 17 } }, "limits.memoryMb 16 → 17", true],
  ["fewer drivers", { limits: { drivers: 2 } }, { limits: { drivers: 1 } }, "limits.drivers 2 → 1", false],
  ["a share of the processor given up", { limits: { cpuPercent: 10 } }, {}, "limits.cpuPercent 10 → 50", true],
  ["a smaller share of the processor", {}, { limits: { cpuPercent: 20 } }, "limits.cpuPercent 50 → 20", false],
  ["its own recovery", {}, { recovery: "self" }, 'recovery "replay" → "self"', true],
  ["recovery by replay", { recovery: "self" }, {}, 'recovery "self" → "replay"', true],
  ["a longer init", { timeouts: { init: 10 } }, { timeouts: { init: 11 } }, "timeouts.init 10 → 11", true],
  [
    "longer deadlines",
    { timeouts: { default: 10, join: 5 } },
    { timeouts: { default: 20, join: 5 } },
    "timeouts.default 10 → 20",
    true,
  ],
  [
    "one deadline",
    { timeouts: { default: 10 } },
    { timeouts: { default: 10, join: 5 } },
    "timeouts.join 10 → 5",
    false,
  ],
  [
    "a kind of link more",
    { permissions: { netlink: links } },
    { permissions: { netlink: { ...links, kinds: ["veth", "bridge"] } } },
    'netlink.kinds +"bridge"',
    true,
  ],
  [
    "a network within",
    { permissions: { netlink: links } },
    { permissions: { netlink: { ...links, subnets: ["10.64.7.0/24"] } } },
    'netlink.subnets +"10.64.7.0/24" -"10.64.0.0/16"',
    false,
  ],
  [
    "a network outside",
    { permissions: { netlink: links } },
    { permissions: { netlink: { ...links, subnets: ["10.64.0.0/16", "10.65.0.0/16"] } } },
    'netlink.subnets +"10.65.0.0/16"',
    true,
  ],
  [
    "another prefix",
    { permissions: { netlink: links } },
    { permissions: { netlink: { ...links, prefix: "qq" } } },
    'netlink.prefix "pp" → "qq"',
    true,
  ],
];

for (const [name, pinned, now, text, more] of SINCE) {
  test(`compared with the pinned version: ${name}`, () => {
    const update = judge({ entry: WIDE, pinned: { ...pinned }, now: { ...now } });
    assert.equal(update, {
      text: `compared with the granted version: ${text}${more ? NOT : ""}`,
      differs: true,
      accepted: !more,
    });
  });
}

test("compared with the pinned version: the same, in whatever order it is written", () => {
  const pinned = { networkTypes: ["a", "b"], permissions: { store: { bytes: 10, keys: 2 }, log: true } };
  const now = {
    description: "another",
    permissions: { log: true, store: { keys: 2, bytes: 10 } },
    networkTypes: ["b", "a"],
  };
  assert.equal(judge({ entry: WIDE, pinned, now }), {
    text: "compared with the granted version, it asks for the same",
    differs: false,
    accepted: true,
  });
});

test('"ask", and nothing said: nobody is let in', () => {
  for (const entry of [
    { ...WIDE, update: "ask" },
    { ...WIDE, update: undefined },
  ]) {
    for (const known of [{ pinned: {} }, { former: {} }, {}]) {
      assert.is(judge({ entry, ...known, now: {} }).accepted, false);
      assert.not.match(judge({ entry, ...known, now: { scope: "global" } }).text, "same-grant");
    }
  }
});

test('"ask" compares with whatever ran before; "same-grant" never trusts a version that is not the pinned one', () => {
  const former = { scope: "global", permissions: { log: true } };
  const now = { scope: "global", permissions: { log: true } };
  const asked = judge({ entry: { update: "ask" }, former, now });
  assert.is(asked.text, "compared with the version before it, it asks for the same");
  const update = judge({ entry: { grant: { log: true } }, former, now });
  assert.equal([update.accepted, update.text], [false, `compared with its grant: scope "local" → "global"${NOT}`]);
});

/** Only the policy is known. */
const GRANTED: readonly [name: string, entry: object, now: object, text: string, accepted: boolean][] = [
  [
    "as granted",
    WIDE,
    { scope: "global", permissions: { log: true, store: { bytes: 5000 }, timers: true, netlink: links } },
    `: netlink.kinds none → ["veth"], netlink.prefix none → "pp", netlink.subnets none → ["10.64.0.0/16"]${NOT}`,
    false,
  ],
  [
    "less than granted",
    { grant: { log: true, store: { bytes: 5000 } } },
    { permissions: { store: { bytes: 10 } }, limits: { memoryMb: 16 } },
    ": -log",
    true,
  ],
  [
    "the harmless set",
    {},
    { permissions: { log: true, timers: true, clock: true, random: true, store: true } },
    ", it does not ask for more",
    true,
  ],
  [
    "harmless, but never granted",
    { grant: { log: true } },
    { permissions: { log: true, random: true } },
    `: +random${NOT}`,
    false,
  ],
  [
    "cut down to the grant",
    { grant: { store: { bytes: 5000 } } },
    { permissions: { store: { bytes: 9000 } } },
    ": store.bytes 5000 → 9000",
    true,
  ],
  [
    "over a limit that the grant leaves open",
    { grant: { store: true } },
    { permissions: { store: { bytes: 99_000 } } },
    `: store.bytes 65536 → 99000${NOT}`,
    false,
  ],
  [
    "cut down to the policy's deadlines and limits",
    { timeouts: { join: 10 }, limits: { memoryMb: 8 } },
    {
      permissions: { log: true, timers: true, clock: true, random: true, store: true },
      timeouts: { join: 20 },
      limits: { memoryMb: 9 },
    },
    ": limits.memoryMb 8 → 9, timeouts.join 10 → 20",
    true,
  ],
  [
    "a type that the policy does not name",
    { grant: { log: true } },
    { networkTypes: ["p", "q"] },
    `: +type "q"${NOT}`,
    false,
  ],
  [
    "the types that the policy names",
    { grant: { log: true }, networkTypes: ["p", "q"] },
    { networkTypes: ["p"] },
    ': -type "q"',
    true,
  ],
  [
    "types, of which the policy lacks one",
    { grant: { log: true }, networkTypes: ["p"] },
    { networkTypes: ["p", "q"] },
    `: +type "q"${NOT}`,
    false,
  ],
  [
    "a permission not granted",
    { grant: { log: true } },
    { permissions: { log: true, netlink: links } },
    `: +netlink ${JSON.stringify(links)}${NOT}`,
    false,
  ],
];

for (const [name, entry, now, text, accepted] of GRANTED) {
  test(`compared with the grant: ${name}`, () => {
    const update = judge({ entry: { ...entry }, now: { ...now } });
    assert.equal([update.text, update.accepted], [`compared with its grant${text}`, accepted]);
  });
}

test("a policy that has become tighter or wider since is not a change of the plugin's", () => {
  const same = { permissions: { store: true } };
  const update = judge({ entry: { grant: { store: { bytes: 7 } } }, pinned: same, now: same });
  assert.equal([update.differs, update.accepted], [false, true]);
});

test("the text is bounded, and one visible line", () => {
  const subnets = Array.from({ length: 1000 }, (_, n) => `10.${64 + (n >> 8)}.${n & 255}.0/24`);
  const { text } = judge({ pinned: {}, now: { permissions: { netlink: { ...links, subnets } } } });
  assert.ok(text.length < 1200, `${text.length}`);
  assert.match(text, /…; "update"/);
});

test.run();
