/** What is read from one host process in a turn of the event loop and in a second, over all its streams, and which of them is blamed. */
import type { Socket } from "node:net";
import { Intake, type StreamIntake } from "#dist/isolation/intake.js";
import { WALLS } from "#dist/isolation/limits.js";
import { assert, suite } from "../harness.js";

const test = suite("isolation: intake");
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

interface Stream {
  readonly intake: StreamIntake;
  readonly floods: string[];
  paused(): boolean;
}

function stream(intake: Intake): Stream {
  let paused = false;
  const socket = {
    pause: () => {
      paused = true;
    },
    resume: () => {
      paused = false;
    },
  };
  const floods: string[] = [];
  return {
    intake: intake.stream(socket as unknown as Socket, (why) => floods.push(why)),
    floods,
    paused: () => paused,
  };
}

test("bytes of all streams count together: each that brings more waits for the next turn", async () => {
  const intake = new Intake();
  const [one, two, three] = [stream(intake), stream(intake), stream(intake)];
  one.intake.read(WALLS.bytesPerTick);
  assert.is(one.paused(), false);
  two.intake.read(1);
  assert.is(two.paused(), true);
  three.intake.read(1);
  assert.is(three.paused(), true);
  await turn();
  assert.is(two.paused() || three.paused(), false);
  one.intake.read(WALLS.bytesPerTick);
  assert.is(one.paused(), false, "the next turn has as much room");
});

test("so do frames", async () => {
  const intake = new Intake();
  const [one, two] = [stream(intake), stream(intake)];
  for (let i = 0; i < WALLS.framesPerTick; i++) one.intake.frame();
  one.intake.read(1);
  assert.is(one.paused(), false);
  two.intake.frame();
  two.intake.read(1);
  assert.is(two.paused(), true);
  await turn();
  assert.is(two.paused(), false);
});

test("a stream that has been stopped is not resumed", async () => {
  const intake = new Intake();
  const one = stream(intake);
  one.intake.read(WALLS.bytesPerTick + 1);
  one.intake.stop();
  await turn();
  assert.is(one.paused(), true);
});

test("nor is one that its own last frame has stopped", async () => {
  const intake = new Intake();
  const one = stream(intake);
  one.intake.stop();
  one.intake.read(WALLS.bytesPerTick + 1);
  await turn();
  assert.is(one.paused(), false, "it stays as it is");
  one.intake.read(WALLS.bytesPerSecond + 1);
  assert.equal(one.floods, []);
});

test("more bytes than a second may have are blamed on the stream that brought the most", () => {
  const intake = new Intake();
  const [quiet, loud] = [stream(intake), stream(intake)];
  loud.intake.read(WALLS.bytesPerSecond);
  quiet.intake.read(1);
  assert.is(loud.floods.length, 1);
  assert.match(loud.floods[0] ?? "", `more than ${WALLS.bytesPerSecond} bytes in a second`);
  quiet.intake.read(WALLS.bytesPerSecond);
  assert.equal(quiet.floods, [], "the others begin a new count");
  quiet.intake.read(1);
  assert.is(quiet.floods.length, 1);
  assert.is(loud.floods.length, 1, "no stream is blamed twice");
});

test("a second later there is room again, for each stream", () => {
  const intake = new Intake();
  const [one, two] = [stream(intake), stream(intake)];
  one.intake.read(WALLS.bytesPerSecond);
  const clock = performance.now;
  try {
    performance.now = () => clock.call(performance) + 1001;
    two.intake.read(WALLS.bytesPerSecond);
    assert.equal([...one.floods, ...two.floods], []);
    two.intake.read(1);
    assert.is(two.floods.length, 1);
    assert.equal(one.floods, []);
  } finally {
    performance.now = clock;
  }
});

test.run();
