/** The stream between the platform and a host process: however it is cut, the frames come out as they went in, or none do. */
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { CONTROL_HEADER, FrameReader, frameBytes } from "#dist/isolation/host-frames.js";
import { assert, suite } from "../harness.js";

const test = suite("isolation: frames of a host process");

const MAX = 4096;

interface Heard {
  readonly frames: string[];
  readonly violations: string[];
  readonly reader: FrameReader;
}

function listen(maxBytes = MAX, seen?: (count: number, reader: FrameReader) => void): Heard {
  const frames: string[] = [];
  const violations: string[] = [];
  const reader = new FrameReader(maxBytes, {
    frame(header, text) {
      assert.is(header, text.slice(0, 8));
      frames.push(text);
      seen?.(frames.length, reader);
    },
    violation: (why) => void violations.push(why),
  });
  return { frames, violations, reader };
}

/** A length, as it precedes a frame. */
function lengthBytes(length: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(length);
  return bytes;
}

/** `bytes` cut at the given places. */
function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const at = [0, ...places.map((place) => place % (bytes.length + 1)).sort((a, b) => a - b), bytes.length];
  return at.slice(1).map((end, i) => bytes.subarray(at[i], end));
}

const header = fc.integer({ min: 0, max: 2 ** 32 - 1 }).map((route) => route.toString(16).padStart(8, "0"));
/** Well-formed text of every kind: text that is not Unicode cannot travel as UTF-8. */
const body = fc.string({ unit: "binary", maxLength: 300 });
const frames = fc.array(
  fc.tuple(header, body).map(([head, text]) => head + text),
  { maxLength: 20 },
);
const places = fc.array(fc.nat(20_000), { maxLength: 40 });

test("any stream, cut in any way, gives its frames back, in order", () => {
  fc.assert(
    fc.property(frames, places, (sent, cuts) => {
      const heard = listen();
      for (const part of cut(Buffer.concat(sent.map(frameBytes)), cuts)) heard.reader.push(part);
      assert.equal(heard.frames, sent);
      assert.equal(heard.violations, []);
    }),
    { numRuns: 1000 },
  );
});

test("byte by byte too, and what is not whole yet is not given", () => {
  const sent = [`${CONTROL_HEADER}{"kind":"ready"}`, "0000000a[0]", "0000000b", "ffffffff…€😀"];
  const stream = Buffer.concat(sent.map(frameBytes));
  const heard = listen();
  let whole = 0;
  let ends = sent.map(frameBytes).map((bytes) => {
    whole += bytes.length;
    return whole;
  });
  for (let at = 0; at < stream.length; at++) {
    heard.reader.push(stream.subarray(at, at + 1));
    ends = ends.filter((end) => end > at + 1);
    assert.is(heard.frames.length, sent.length - ends.length);
  }
  assert.equal(heard.frames, sent);
});

test("a length below a routing header or above the limit is a violation, told once, before a byte of the frame is there", () => {
  const bad = fc.oneof(fc.nat(7), fc.integer({ min: MAX + 1, max: 2 ** 32 - 1 }));
  fc.assert(
    fc.property(frames, bad, places, fc.uint8Array({ maxLength: 64 }), (sent, length, cuts, rest) => {
      const heard = listen();
      const stream = Buffer.concat([...sent.map(frameBytes), lengthBytes(length)]);
      for (const part of cut(stream, cuts)) heard.reader.push(part);
      assert.equal(heard.frames, sent);
      assert.is(heard.violations.length, 1);
      heard.reader.push(Buffer.from(rest));
      heard.reader.push(frameBytes("0000000a[0]"));
      assert.equal([heard.frames.length, heard.violations.length], [sent.length, 1]);
    }),
    { numRuns: 1000 },
  );
});

test("the largest frame passes, one byte more does not", () => {
  const largest = "0000000a".padEnd(MAX, "x");
  const heard = listen();
  heard.reader.push(frameBytes(largest));
  assert.equal(heard.frames, [largest]);
  heard.reader.push(frameBytes(`${largest}x`));
  assert.equal(heard.violations, [`a frame of ${MAX + 1} bytes`]);
  const short = listen();
  short.reader.push(Buffer.concat([lengthBytes(7), Buffer.from("0000000")]));
  assert.equal(short.violations, ["a frame without a routing header"]);
});

test("a stream of one worker: another's header is a violation as soon as it is there, before the frame is whole", () => {
  const listenTo = (own: string): Heard => {
    const frames: string[] = [];
    const violations: string[] = [];
    const sink = {
      frame: (_: string, text: string) => void frames.push(text),
      violation: (why: string) => void violations.push(why),
    };
    return { frames, violations, reader: new FrameReader(MAX, sink, own) };
  };
  const good = frameBytes("0000000a[1]");
  const bad = Buffer.concat([lengthBytes(64), Buffer.from("0000000b")]);
  for (const size of [1, 3, 5, 64]) {
    const heard = listenTo("0000000a");
    const all = Buffer.concat([good, good, bad]);
    for (let at = 0; at < all.length; at += size) heard.reader.push(all.subarray(at, at + size));
    assert.equal(heard.frames, ["0000000a[1]", "0000000a[1]"]);
    assert.equal(heard.violations, ["a frame with a routing header that is not its own"]);
  }
});

test("any bytes at all: frames or one violation, never a throw", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 3000 }), places, (bytes, cuts) => {
      const heard = listen();
      for (const part of cut(Buffer.from(bytes), cuts)) heard.reader.push(part);
      assert.ok(heard.violations.length <= 1);
    }),
    { numRuns: 2000 },
  );
});

test("bytes that are no UTF-8 are replaced, and cannot forge another frame's header", () => {
  const heard = listen();
  heard.reader.push(Buffer.concat([lengthBytes(8), Buffer.from([0xff, 0x30, 0x30, 0x30, 0x30, 0x30, 0x30, 0x61])]));
  assert.equal(heard.frames, ["\ufffd000000a"]);
});

test("a frame that comes in crumbs costs what it weighs, and comes out whole", () => {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  const frame = frameBytes(`0000000a${"x".repeat(300_000)}`);
  const heard = listen(1_000_000);
  collect();
  const before = process.memoryUsage().heapUsed;
  for (const byte of frame.subarray(0, -1)) heard.reader.push(Buffer.from([byte]));
  collect();
  const grown = process.memoryUsage().heapUsed - before;
  assert.ok(grown < 4 * 2 ** 20, `${grown} bytes for ${frame.length}`);
  heard.reader.push(frame.subarray(-1));
  assert.equal(heard.frames, [frame.toString("utf8", 4)]);
});

test("stopped in the middle: nothing more is given, not even what has come in already", () => {
  const stream = Buffer.concat(["0000000a[1]", "0000000a[2]", "0000000a[3]"].map(frameBytes));
  const heard = listen(MAX, (count, reader) => {
    if (count === 2) reader.stop();
  });
  heard.reader.push(stream);
  heard.reader.push(stream);
  assert.equal(heard.frames, ["0000000a[1]", "0000000a[2]"]);
});

test.run();
