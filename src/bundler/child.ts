/**
 * Main of a bundler process: reads one request, answers once, and waits to be killed. Touches `process`, on purpose.
 * Standard input is its lifeline: when the platform's process is gone, so is this one, and esbuild with it.
 */
import { transform } from "esbuild";
import { compile } from "./compile.js";
import { type Answer, type ChildRequest, encodeAnswer } from "./messages.js";
import { BundleRefusal } from "./refusal.js";

let text = "";
let asked = false;
process.stdin.setEncoding("utf8");
process.stdin.on("data", (chunk: string) => {
  text += chunk;
  if (asked || !text.endsWith("\n")) return;
  asked = true;
  void answer(JSON.parse(text) as ChildRequest);
});
process.stdin.on("close", () => process.kill(-process.pid, "SIGKILL"));

// Starts esbuild's service while the request is still on its way.
transform("").catch(() => {});

async function answer(request: ChildRequest): Promise<void> {
  process.stdout.write(encodeAnswer(await outcome(request)));
}

async function outcome(request: ChildRequest): Promise<Answer> {
  try {
    return await compile(request);
  } catch (error) {
    if (error instanceof BundleRefusal) return error.toFailure();
    throw error;
  }
}
