/** What mutations put in the place of something valid: JSON texts at the edges of what parsers look at. */
import { LIMITS } from "#dist/protocol/limits.js";

const NUMBERS = [
  ...["0", "-0", "1", "-1", "0.5", "2", "3", "4", "31", "32", "33", "64", "65", "255", "256", "257", "1024", "4096"],
  ...["65535", "65536", "2147483647", "2147483648", "-2147483649", "4294967295", "4294967296", "9007199254740991"],
  ...[
    "9007199254740992",
    "-9007199254740992",
    "1e21",
    "1e308",
    "1e309",
    "-1e999",
    "1e-400",
    "1.0000000000000001",
    "1E2",
  ],
] as const;

const OTHERS = [
  ...["null", "true", "false", "{}", "[]", "[[]]", "[null]", '{"__proto__":{"a":1}}', '{"constructor":1}'],
  ...[
    '{"toString":1}',
    '{"length":3,"0":1}',
    '{"then":1}',
    '{"toJSON":1}',
    "[0,0]",
    '{"type":"RAW"}',
    '{"a":{"a":{}}}',
  ],
  ...[
    '{"value":null}',
    '{"id":0}',
    '{"name":"throw"}',
    '{"kind":"started"}',
    '{"a":1,"a":2}',
    '{"":0}',
    '{"$":"getter"}',
  ],
] as const;

const TEXTS = [
  ...[
    "",
    " ",
    "a",
    "x",
    "__proto__",
    "constructor",
    "prototype",
    "toString",
    "then",
    "length",
    "0",
    "-1",
    "null",
    "\0",
  ],
  ...[
    "\u0001",
    "\n",
    "\r\n",
    "\u007f",
    "\u0085",
    "\u00a0",
    "\u200b",
    "\u2028",
    "\u202e",
    "\u2066",
    "\ufeff",
    "\u{1f600}",
  ],
  ...["e\u0301", "ß", "İ", "\u0660", "\uffff", "..", "../x", "/etc/passwd", "a/b", "a%b", "-a", "a\\b", "C:\\x", "a.b"],
  ...[
    "bulkhead.replay",
    "RAW",
    "HANDLER",
    "APPLY",
    "throw",
    "SET",
    "ERR_ENDPOINT_NOT_FOUND",
    "NotFound",
    "local",
    "global",
  ],
] as const;

const ADDRESSES = [
  ...[
    "10.77.0.1",
    "10.77.0.1/16",
    "10.77.0.0/16",
    "0.0.0.0",
    "0.0.0.0/0",
    "0.0.0.0/1",
    "127.0.0.1/8",
    "255.255.255.255/32",
  ],
  ...[
    "224.0.0.1/4",
    "1.2.3.4/33",
    "1.2.3.4/032",
    "01.2.3.4",
    "1.2.3",
    "1.2.3.4.5",
    "1.2.3.256",
    "0x7f.1",
    "::",
    "::/0",
    "::1",
  ],
  ...[
    "fd00::1/64",
    "fd00::/64",
    "FD00:0:0::1/64",
    "fe80::1%eth0",
    "::ffff:1.2.3.4",
    "64:ff9b::10.0.0.1",
    "1::2::3",
    ":::",
  ],
  ...[
    "::/129",
    "1:2:3:4:5:6:7:8:9",
    "02:42:ac:11:00:02",
    "02-42-AC-11-00-02",
    "0242.ac11.0002",
    "02:42:ac:11:00",
    "03:00:00:00:00:01",
  ],
] as const;

const LENGTHS = [
  1, 12, 13, 15, 16, 32, 33, 41, 60, 64, 65, 80, 128, 129, 200, 256, 257, 512, 1024, 2048, 4096, 4097,
] as const;
const UNITS = ["x", "\u00e9", "\u4e00", "\u{1f600}", "\\", '"', "a:", "1.", "_"] as const;

/** JSON texts of values of any kind. Strings of every length that a limit names are among them. */
export const VALUES: readonly string[] = [
  ...NUMBERS,
  ...OTHERS,
  ...[...TEXTS, ...ADDRESSES].map((text) => JSON.stringify(text)),
  // Escapes that are no characters, written out: the text is well formed, what it says is not.
  ...['"\\ud800"', '"\\udc00x"', '"\\u0000"', '"\\u005f_proto__"'],
  ...LENGTHS.map((length, at) => JSON.stringify((UNITS[at % UNITS.length] ?? "x").repeat(length).slice(0, length))),
];

/** Values of no proper JSON. */
export const BROKEN: readonly string[] = [
  ...[
    "undefined",
    "NaN",
    "Infinity",
    "+1",
    "01",
    ".5",
    "1.",
    "1e",
    "0x10",
    "1n",
    "'a'",
    '"\\x"',
    '"\t"',
    '"',
    "//",
    "/*",
    "tru",
  ],
  ...["\ufeff", "\u2028", "\0", "[,]", "{,}", "[1,]", '{"a"}', '{"a":}', "{a:1}", "]", "}", "\ud800", "\u00a0"],
];

/** How often something is repeated, and how deeply it is nested: around each limit, the large ones rarely. */
export const COUNTS: readonly number[] = [
  2,
  3,
  8,
  9,
  LIMITS.jsonDepth - 1,
  LIMITS.jsonDepth,
  LIMITS.jsonDepth + 1,
  64,
  65,
  257,
];
export const MANY: readonly number[] = [LIMITS.routes + 1, LIMITS.frameMessages + 1, LIMITS.jsonNodes + 1, 100_000];
