/**
 * Entry point of a bundler process: reads one request, replies once, and waits to be killed. When standard input closes, the
 * platform's process has ended, and this one ends too, together with esbuild.
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

// Starts esbuild's service before the request arrives.
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
