/**
 * The egress driver's parser: random messages, and valid ones with random changes, as a query of a container's and as a reply of a name
 * server's. Nothing is thrown, nothing takes long, and what is read is what a name or an address may be.
 * BULKHEAD_SEED: which ones.
 */
import packet, { type Answer } from "dns-packet";
import fc from "fast-check";
import { EGRESS_MESSAGES as INPUTS } from "../amounts.js";
import { assert, suite } from "../harness.js";
import { partOf } from "./shipped.js";

const test = suite("plugins/egress: the parser");
const SEED = Number(process.env.BULKHEAD_SEED ?? 1);
/** A message may take so long, in milliseconds; a loop that never ends takes longer. */
const SLOW = 250;

interface Query {
  readonly id: number;
  readonly name: string;
  readonly asked: string;
  readonly type: string;
  readonly room: number;
}

interface Parser {
  readQuery(bytes: Uint8Array): Query | { readonly problem: number | undefined };
  readReply(
    bytes: Uint8Array,
    name: string,
    type: string,
  ):
    | {
        readonly records: readonly {
          readonly name: string;
          readonly type: string;
          readonly data: string;
          readonly ttl: number;
        }[];
      }
    | undefined;
  writeAnswer(query: Query, rcode: number, records: readonly object[], room: number): Uint8Array;
  writeProblem(id: number, rcode: number): Uint8Array;
}

const NAME = /^[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*$/;
const name = fc.constantFrom(
  "api.example.com",
  "api.example.com",
  "api.example.com",
  "a.b",
  "xn--nxasmq6b.example",
  `${"a".repeat(63)}.${"b".repeat(63)}.example`,
);
const record: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({
    type: fc.constant("A" as const),
    name,
    ttl: fc.nat(),
    data: fc.constantFrom("198.51.100.1", "10.0.0.1"),
  }),
  fc.record({ type: fc.constant("AAAA" as const), name, ttl: fc.nat(), data: fc.constantFrom("2001:db8::1", "::1") }),
  fc.record({ type: fc.constant("CNAME" as const), name, ttl: fc.nat(), data: name }),
  fc.record({ type: fc.constant("TXT" as const), name, ttl: fc.nat(), data: fc.string() }),
  fc.record({ type: fc.constant("MX" as const), name, data: fc.record({ preference: fc.nat(9), exchange: name }) }),
);

const question = fc.record({
  name,
  type: fc.constantFrom("A" as const, "A" as const, "AAAA" as const, "TXT" as const),
});
const valid = fc
  .record({
    type: fc.constantFrom("query" as const, "response" as const),
    id: fc.nat(65_535),
    flags: fc.oneof(
      { weight: 5, arbitrary: fc.constantFrom(0, 0x100, 0x180) },
      { weight: 1, arbitrary: fc.nat(0x7fff) },
    ),
    questions: fc.oneof(
      { weight: 8, arbitrary: fc.tuple(question) },
      { weight: 1, arbitrary: fc.array(question, { maxLength: 3 }) },
    ),
    answers: fc.array(record, { maxLength: 6 }),
    additionals: fc.constantFrom(
      [],
      [
        {
          type: "OPT" as const,
          name: ".",
          udpPayloadSize: 4096,
          extendedRcode: 0,
          ednsVersion: 0,
          flags: 0,
          flag_do: false,
          options: [],
        },
      ],
    ),
  })
  .map((one) => packet.encode(one as never));

/** A valid message with bytes changed, exchanged for pointers, cut, doubled. */
const mutated = fc
  .tuple(valid, fc.array(fc.tuple(fc.nat(4), fc.nat(600), fc.nat(255)), { minLength: 1, maxLength: 6 }))
  .map(([message, changes]) => {
    let bytes = Buffer.from(message);
    for (const [kind, place, value] of changes) {
      const at = place % Math.max(1, bytes.length);
      if (kind === 0) bytes[at] = value;
      else if (kind === 1) bytes[at] = 0xc0;
      else if (kind === 2) bytes = bytes.subarray(0, at);
      else if (kind === 3) bytes = Buffer.concat([bytes, bytes.subarray(at)]);
      else if (at + 1 < bytes.length) bytes.writeUInt16BE(0xc000 | (value % 64), at);
    }
    return bytes.subarray(0, 8192);
  });

const message = fc.oneof(
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 600 }) },
  { weight: 1, arbitrary: valid.map((one) => new Uint8Array(one)) },
  { weight: 6, arbitrary: mutated.map((one) => new Uint8Array(one)) },
);

test(
  `${INPUTS} messages`,
  async (t) => {
    const { readQuery, readReply, writeAnswer, writeProblem } = await partOf<Parser>(t, "egress", "message.ts");
    const reached = { queries: 0, problems: 0, records: 0 };
    fc.assert(
      fc.property(message, (bytes) => {
        const began = performance.now();
        const query = readQuery(bytes);
        const reply = readReply(bytes, "api.example.com", "A");
        assert.ok(performance.now() - began < SLOW, "it takes long");
        for (const one of reply?.records ?? []) {
          reached.records++;
          assert.match(one.name, NAME);
          if (one.type === "CNAME") assert.match(one.data, NAME);
          else assert.match(one.data, one.type === "A" ? /^\d+(\.\d+){3}$/ : /^[0-9a-f:]+$/);
          assert.ok(one.ttl >= 0 && one.ttl < 2 ** 31);
        }
        if ("problem" in query) {
          reached.problems++;
          if (query.problem !== undefined)
            assert.is(packet.decode(Buffer.from(writeProblem(1, query.problem))).type, "response");
          return;
        }
        reached.queries++;
        assert.match(query.name, NAME);
        assert.is(query.asked.toLowerCase().replace(/\.$/, ""), query.name);
        const records = Array.from({ length: 40 }, (_, n) => ({
          name: query.name,
          type: "A",
          ttl: 1,
          data: `198.51.100.${n}`,
        }));
        for (const room of [512, query.room, 65_535]) {
          const answer = writeAnswer(query, 0, records, room);
          assert.ok(answer.length <= room, "a longer answer than there is room for");
          const again = packet.decode(Buffer.from(answer));
          assert.is(again.id, query.id);
          assert.is(again.questions?.[0]?.name.toLowerCase(), query.name);
        }
      }),
      { numRuns: INPUTS, seed: SEED },
    );
    assert.ok(
      Object.values(reached).every((count) => count > INPUTS / 200),
      JSON.stringify(reached),
    );
  },
  { ms: 60_000 + INPUTS * 2 },
);

test("names that go in circles, or are too long, are not read, and take no time", async (t) => {
  const { readQuery } = await partOf<Parser>(t, "egress", "message.ts");
  const header = Buffer.from([0, 1, 1, 0, 0, 1, 0, 0, 0, 0, 0, 0]);
  const circles = [
    [0xc0, 12],
    [0xc0, 14, 0xc0, 12],
    [1, 0x61, 0xc0, 12],
    [0xff, 0xff],
    [0x40, 1],
    Array.from({ length: 4000 }, (_, at) => (at % 2 === 0 ? 1 : 0x61)),
    Array.from({ length: 4000 }, (_, at) => (at % 2 === 0 ? 0xc0 : Math.max(0, at % 256))),
  ];
  for (const circle of circles) {
    const began = performance.now();
    const read = readQuery(new Uint8Array([...header, ...circle, 0, 0, 1, 0, 1]));
    assert.ok("problem" in read, JSON.stringify(circle.slice(0, 4)));
    assert.ok(performance.now() - began < SLOW);
  }
});

test.run();
