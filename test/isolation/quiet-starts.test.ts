/** Spares are started after all that is waited for, one at a time, at a low priority that ends with their use. */
import { HostProcess } from "#dist/isolation/host-process.js";
import { HostProcesses } from "#dist/isolation/host-processes.js";
import type { Link } from "#dist/isolation/link.js";
import { mayRaisePriority } from "#dist/isolation/proc.js";
import { QuietStarts } from "#dist/isolation/quiet-starts.js";
import { raiseWall } from "#dist/isolation/walls/raise.js";
import { assert, suite, until } from "../harness.js";
import { noBubblewrap } from "./walled.js";

const test = suite("isolation: quiet starts");

/** Timers that ring when they are told to. */
class Bell {
  #call: (() => void) | undefined;
  set = (call: () => void): number => {
    this.#call = call;
    return 0;
  };
  clear = (): void => {
    this.#call = undefined;
  };
  get waits(): boolean {
    return this.#call !== undefined;
  }
  ring(): void {
    const call = this.#call;
    this.#call = undefined;
    call?.();
  }
}

test("one start in each quiet time, in the order of the requests; a repeated request counts once", () => {
  const bell = new Bell();
  const quiet = new QuietStarts<string>(1, bell);
  const started: string[] = [];
  quiet.want("a", () => started.push("first a"));
  quiet.want("b", () => started.push("b"));
  quiet.want("a", () => started.push("a"));
  assert.equal(started, []);
  bell.ring();
  assert.equal(started, ["a"]);
  bell.ring();
  assert.equal(started, ["a", "b"]);
  assert.not.ok(bell.waits);
});

test("a start that is waited for begins the quiet time again; without a request nothing waits; closed, nothing starts", () => {
  const bell = new Bell();
  let sets = 0;
  const set = (call: () => void): number => {
    sets++;
    return bell.set(call);
  };
  const quiet = new QuietStarts<string>(1, { set, clear: bell.clear });
  quiet.busy();
  assert.is(sets, 0);
  const started: string[] = [];
  quiet.want("a", () => started.push("a"));
  quiet.busy();
  assert.is(sets, 2);
  quiet.close();
  bell.ring();
  assert.equal(started, []);
});

test(
  "a spare is started after the plugins' own processes, gives way, and comes forward when it is used",
  async (t) => {
    const events: string[] = [];
    const names = new Map<HostProcess, number>();
    const name = (one: HostProcess): number => {
      if (!names.has(one)) names.set(one, names.size + 1);
      return names.get(one) as number;
    };
    const { giveWay, comeForward, open } = HostProcess.prototype;
    t.cleanup(() => Object.assign(HostProcess.prototype, { giveWay, comeForward, open }));
    Object.assign(HostProcess.prototype, {
      giveWay(this: HostProcess) {
        events.push(`${name(this)} gives way`);
        giveWay.call(this);
      },
      comeForward(this: HostProcess) {
        events.push(`${name(this)} comes forward`);
        comeForward.call(this);
      },
      open(this: HostProcess, memoryMb: number, alone: boolean) {
        events.push(`${name(this)} opens`);
        return open.call(this, memoryMb, alone);
      },
    });
    const processes = new HostProcesses({
      demanded: () => "bubblewrap",
      wall: (demanded) => raiseWall(demanded, undefined),
      aborted: () => {},
    });
    t.cleanup(() => processes.close());
    const launcher = processes.launcher("dedicated");
    const launch = (plugin: string): Promise<Link> => launcher.launch({ plugin, memoryMb: 32 });
    await Promise.all([launch("a"), launch("b")]);
    await until(() => events.length === 3, "the spare", 20_000);
    const lowered = mayRaisePriority();
    assert.ok(lowered, "the test runs with the right to raise a priority");
    await launch("c");
    assert.equal(events, ["1 opens", "2 opens", "3 gives way", "3 comes forward", "3 opens"]);
  },
  { needs: noBubblewrap ?? (mayRaisePriority() ? undefined : "needs CAP_SYS_NICE"), ms: 60_000 },
);

test.run();
