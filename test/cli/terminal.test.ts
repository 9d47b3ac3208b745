/** What a plugin says through a command stays text on the operator's terminal. */

import { EXIT, runReported } from "#dist/cli/output.js";
import { DriverError } from "#dist/driverapi/errors.js";
import { assert, suite } from "../harness.js";

const test = suite("cli/terminal");

const HOSTILE = "\u001b[2J\u001b[31mred\nok all is well\u202e\u009b1A";

async function printed(work: () => Promise<never> | Promise<{ data: object; text: string }>) {
  let text = "";
  const add = (more: string): void => {
    text += more;
  };
  const exit = await runReported(false, { out: add, err: add }, work as never);
  return { exit, text };
}

test("an error's message is one line, and no terminal obeys it", async () => {
  const { exit, text } = await printed(async () => {
    throw new DriverError("ERR_PLUGIN_INIT", HOSTILE);
  });
  assert.is(exit, EXIT.failed);
  const safe = "\\u{1b}[2J\\u{1b}[31mred\\nok all is well\\u{202e}\\u{9b}1A";
  assert.is(text, `error ERR_PLUGIN_INIT: ${safe}\n`);
});

test("a report keeps its lines and loses what a terminal would act on", async () => {
  const { text } = await printed(async () => ({ data: {}, text: `first\nsecond ${HOSTILE.replace("\n", " ")}` }));
  assert.is(text, "first\nsecond \\u{1b}[2J\\u{1b}[31mred ok all is well\\u{202e}\\u{9b}1A\n");
});

test("nor does an error that is not ours bring its controls along", async () => {
  const { text } = await printed(async () => {
    throw new Error(HOSTILE);
  });
  for (const control of ["\u001b", "\u009b", "\u202e"]) assert.not.ok(text.includes(control));
});

test.run();
