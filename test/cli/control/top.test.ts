/** `bulkhead top`: frames on a terminal, orders by key, its end; one measurement on a pipe. */
import { runControl } from "#dist/cli/control/program.js";
import type { Terminal } from "#dist/cli/output.js";
import { controlled } from "../../control/controlled.js";
import { assert, suite, until } from "../../harness.js";
import { plugin } from "../../kit/plugins.js";
import { cli } from "../cli.js";

const test = suite("cli/control: top");

/** A terminal that a test looks at. */
function screen(): {
  readonly terminal: Terminal;
  readonly written: string[];
  press(key: string): void;
  listening(): boolean;
} {
  const written: string[] = [];
  let listener: ((key: string) => void) | undefined;
  return {
    written,
    press: (key) => listener?.(key),
    listening: () => listener !== undefined,
    terminal: {
      rows: () => 24,
      write: (text) => void written.push(text),
      keys(given) {
        listener = given;
        return () => {
          listener = undefined;
        };
      },
    },
  };
}

test("frames with rates, in the order of the key pressed; q restores the screen", async (t) => {
  const { socket, host } = await controlled(t, { "a.js": plugin("a"), "b.js": plugin("b") });
  const { terminal, written, press, listening } = screen();
  const ended = runControl(
    ["top", "--seconds", "0.1", "--sort", "n", "--control", socket],
    { out() {}, err() {}, terminal },
    "1",
  );
  await until(() => written.length >= 3, "two frames");
  assert.match(written[0] ?? "", "\u001b[?1049h");
  assert.match(written[1] ?? "", /by name;.*ID +STATE +CPU %.*a +running.*b +running/s);
  const calls = (async () => {
    for (let n = 0; n < 200; n++) await host.driver("b").createNetwork(`n${n}`);
  })();
  press("r");
  assert.match(written.at(-1) ?? "", "by calls/s;");
  const seen = (): boolean => written.some((frame) => /b +running.*createNetwork 100 %.*a +running/s.test(frame));
  await until(seen, "b before a, with its method's share");
  await calls;
  press("q");
  assert.is(await ended, 0);
  assert.match(written.at(-1) ?? "", "\u001b[?1049l");
  assert.not(listening());
});

test("the host ends: the screen is restored, exit 3", async (t) => {
  const { socket, host } = await controlled(t, { "a.js": plugin("a") });
  const { terminal, written, listening } = screen();
  let err = "";
  const add = (text: string): void => {
    err += text;
  };
  const ended = runControl(["top", "--seconds", "0.1", "--control", socket], { out() {}, err: add, terminal }, "1");
  await until(() => written.length >= 2, "a frame");
  await host.close();
  assert.is(await ended, 3);
  assert.match(written.at(-1) ?? "", "\u001b[?1049l");
  assert.not(listening());
  assert.match(err, /^error ERR_NO_DAEMON: /);
});

test("on a pipe it measures once; wrong options are named", async (t) => {
  const { socket } = await controlled(t, { "a.js": plugin("a") });
  const ran = await cli(["top", "--seconds", "0.1", "--control", socket]);
  assert.match(ran.out, /^ID +STATE .*\na +running +\d+\.\d /);
  const json = await cli(["top", "--seconds", "0.1", "--json", "--control", socket]);
  assert.is(typeof (JSON.parse(json.out) as { callsPerSecond: number }).callsPerSecond, "number");
  for (const wrong of [
    ["--seconds", "0"],
    ["--seconds", "x"],
    ["--sort", "z"],
  ])
    assert.is((await cli(["top", ...wrong, "--control", socket])).exit, 2);
});

test.run();
