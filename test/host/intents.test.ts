/** Intent before frame, outcome before answer: a journal that takes its time, or refuses, in the place of the one in memory. */

import { EndpointConfig, JoinConfig } from "#dist/index.js";
import type { JournalWrite } from "#dist/storage/journal/journal.js";
import { assert, rejection, suite } from "../harness.js";
import { MemoryJournal } from "../kit/memory-journal.js";
import { scripted } from "../kit/scripted.js";

const test = suite("host/intents");

/** A write that waits for the test's word. */
interface Held {
  /** As "intend network creating". */
  readonly what: string;
  take(): void;
  refuse(): void;
}

/** Holds every write once told to. */
class HeldJournal extends MemoryJournal {
  holding = false;
  readonly #held: Held[] = [];
  #waiting: ((held: Held) => void) | undefined;

  override intend(write: JournalWrite): void | Promise<void> {
    return this.#hold("intend", write);
  }

  override settle(write: JournalWrite): void | Promise<void> {
    return this.#hold("settle", write);
  }

  /** The next write that is held. */
  next(): Promise<Held> {
    return new Promise((resolve) => {
      const held = this.#held.shift();
      if (held) resolve(held);
      else this.#waiting = resolve;
    });
  }

  #hold(how: string, write: JournalWrite): void | Promise<void> {
    if (!this.holding) return super.settle(write);
    const { key, entry } = write;
    const kind = key.join ? "join" : key.eid === undefined ? "network" : "endpoint";
    return new Promise((resolve, reject) => {
      const held = {
        what: `${how} ${kind} ${entry?.phase ?? "gone"}`,
        take: () => resolve(super.settle(write)),
        refuse: () => reject(new Error("no space left")),
      };
      const waiting = this.#waiting;
      this.#waiting = undefined;
      if (waiting) waiting(held);
      else this.#held.push(held);
    });
  }
}

const LIFE = [
  ["createNetwork", "network creating", "network live"],
  ["createEndpoint", "endpoint creating", "endpoint live"],
  ["join", "join creating", "join live"],
  ["leave", "join deleting", "join gone"],
  ["deleteEndpoint", "endpoint deleting", "endpoint gone"],
  ["deleteNetwork", "network deleting", "network gone"],
] as const;

test("no frame goes out before its intent is written, and nobody is told before the outcome is", async (t) => {
  const journal = new HeldJournal();
  const s = await scripted(t, { notes: true, parts: { journal } });
  const d = s.driver();
  const calls = {
    createNetwork: () => d.createNetwork("net"),
    createEndpoint: () => d.createEndpoint("net", "end", new EndpointConfig()),
    join: () => d.join("net", "end", "box", new JoinConfig()),
    leave: () => d.leave("net", "end"),
    deleteEndpoint: () => d.deleteEndpoint("net", "end"),
    deleteNetwork: () => d.deleteNetwork("net"),
  };
  const asked = (): readonly string[] => s.notes.filter((one) => one.event === "end").map((one) => one.method);
  journal.holding = true;
  for (const [index, [method, intent, outcome]] of LIFE.entries()) {
    let told = false;
    const call = calls[method]().then(() => {
      told = true;
    });
    call.catch(() => {});
    const first = await journal.next();
    assert.is(first.what, `intend ${intent}`, method);
    // A call that changes nothing goes there and back meanwhile: a frame of this one would have gone before it.
    await d.config();
    assert.is(asked().length, index, `${method} was not sent`);
    first.take();
    const second = await journal.next();
    assert.is(second.what, `settle ${outcome}`, method);
    assert.equal(asked().slice(index), [method]);
    await d.config();
    assert.is(told, false, `${method}: its caller waits for the outcome to be written`);
    second.take();
    await call;
  }
});

test("an intent that the journal refuses: the driver is not asked, and its id is free", async (t) => {
  const journal = new HeldJournal();
  const s = await scripted(t, { notes: true, parts: { journal } });
  const d = s.driver();
  journal.holding = true;
  const call = rejection(d.createNetwork("net"));
  (await journal.next()).refuse();
  assert.match((await call).message, "no space left");
  // The record it had made is taken back.
  (await journal.next()).take();
  journal.holding = false;
  assert.is((await rejection(d.deleteNetwork("net"))).code, "ERR_NETWORK_NOT_FOUND");
  assert.is(s.notes.filter((one) => one.nid === "net").length, 0);
  await d.createNetwork("net");
});

test("a journal that hangs past the deadline: ERR_JOURNAL_FAILED by then, and the driver is not asked", async (t) => {
  const journal = new HeldJournal();
  const s = await scripted(t, { notes: true, parts: { journal }, timeouts: { createNetwork: 300 } });
  const d = s.driver();
  journal.holding = true;
  const began = performance.now();
  const call = rejection(d.createNetwork("net"));
  await journal.next();
  const error = await call;
  assert.ok(performance.now() - began >= 295, "at its deadline");
  assert.is(error.code, "ERR_JOURNAL_FAILED");
  assert.is(error.kind, "Internal");
  await d.config();
  assert.is(s.notes.filter((one) => one.nid === "net").length, 0);
  journal.holding = false;
  (await journal.next()).take();
  await d.createNetwork("net");
});

test("an outcome that hangs past the deadline: ERR_JOURNAL_FAILED by then, and the id stays locked until it is written", async (t) => {
  const journal = new HeldJournal();
  const s = await scripted(t, {
    notes: true,
    parts: { journal },
    timeouts: { createNetwork: 300, deleteNetwork: 300 },
  });
  const d = s.driver();
  journal.holding = true;
  const began = performance.now();
  const call = rejection(d.createNetwork("net"));
  (await journal.next()).take();
  const outcome = await journal.next();
  assert.is((await call).code, "ERR_JOURNAL_FAILED");
  assert.ok(performance.now() - began >= 295, "at its deadline");
  assert.equal([...new Set(s.notes.filter(({ nid }) => nid === "net").map(({ method }) => method))], ["createNetwork"]);
  assert.is((await rejection(d.deleteNetwork("net"))).code, "ERR_DRIVER_BUSY");
  journal.holding = false;
  outcome.take();
  await d.deleteNetwork("net");
});

/** What is intended is committed once for all callers of a turn. */
class CommittedJournal extends MemoryJournal {
  intended = 0;
  committed = 0;
  commits = 0;
  broken = false;

  override intend(write: JournalWrite): void {
    this.intended++;
    super.intend(write);
  }

  commit(): void {
    if (this.broken) throw new Error("no space left");
    this.committed = this.intended;
    this.commits++;
  }
}

test("a journal that commits many intents at once: one commit for a turn's calls, before any of their frames", async (t) => {
  const journal = new CommittedJournal();
  const s = await scripted(t, { notes: true, parts: { journal } });
  const d = s.driver();
  journal.intended = 0;
  journal.commits = 0;
  const ids = Array.from({ length: 20 }, (_, at) => `net${at}`);
  const calls = ids.map((nid) => d.createNetwork(nid));
  assert.equal([journal.intended, journal.commits], [20, 0]);
  await Promise.all(calls);
  assert.equal([journal.committed, journal.commits], [20, 1]);
  journal.broken = true;
  const refused = await Promise.all(ids.map((nid) => rejection(d.deleteNetwork(nid))));
  for (const { message } of refused) assert.match(message, "no space left");
  assert.is(s.notes.filter(({ method }) => method === "deleteNetwork").length, 0);
  journal.broken = false;
  await Promise.all(ids.map((nid) => d.deleteNetwork(nid)));
});

test.run();
