/** `dev --inspect`: a breakpoint in the author's TypeScript stops there, with its values, past the usual deadlines. */

import { execFile } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { Session } from "node:inspector/promises";
import { SourceMap } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { promisify } from "node:util";
import { dev } from "#dist/cli/dev/dev.js";
import { post } from "../docker/socket.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { REPO } from "../kit/host.js";

const test = suite("cli/dev --inspect");
const run = promisify(execFile);

/** The breakpoint is on the line with "here". */
const SOURCE = `import type { DriverCallback } from "bulkhead/plugin";
export async function init(callback: DriverCallback): Promise<void> {
  await callback.registerDriver("mine", {
    type: () => "mine", config() {}, deleteNetwork() {}, createEndpoint() {}, deleteEndpoint() {}, join() {}, leave() {},
    endpointOperInfo: () => ({}),
    createNetwork(nid: string): void {
      const seen: string = nid + "!"; 
      console.log(seen); // here
    },
  }, { scope: "local" });
}
`;

interface Message {
  readonly id?: number;
  readonly method?: string;
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own shapes.
  readonly params?: any;
  // biome-ignore lint/suspicious/noExplicitAny: the protocol's own shapes.
  readonly result?: any;
}

/** A debugger's side of the inspector protocol, of all worker threads of this process. */
async function debug(t: TestContext): Promise<{
  readonly heard: readonly (Message & { readonly worker: string })[];
  send(worker: string, method: string, params?: object): Promise<Message>;
}> {
  const session = new Session();
  session.connect();
  t.cleanup(() => session.disconnect());
  const heard: (Message & { readonly worker: string })[] = [];
  let next = 1;
  const send = async (worker: string, method: string, params: object = {}): Promise<Message> => {
    const id = next++;
    const message = JSON.stringify({ id, method, params });
    await session.post("NodeWorker.sendMessageToWorker", { sessionId: worker, message });
    return until(() => heard.find((one) => one.worker === worker && one.id === id), method);
  };
  session.on("NodeWorker.receivedMessageFromWorker", ({ params: { sessionId, message } }) => {
    heard.push({ worker: sessionId, ...(JSON.parse(message) as Message) });
  });
  session.on("NodeWorker.attachedToWorker", ({ params: { sessionId } }) => {
    void send(sessionId, "Debugger.enable");
  });
  await session.post("NodeWorker.enable", { waitForDebuggerOnStart: false });
  return { heard, send };
}

/** Finds where the source's line is in a script, whose map is in its comment. */
function placeOf(sourceMapURL: string, file: string, line: number): { lineNumber: number; columnNumber: number } {
  const text = Buffer.from(sourceMapURL.split(",")[1] ?? "", "base64").toString();
  const map = new SourceMap(JSON.parse(text));
  const url = pathToFileURL(file).href;
  for (let lineNumber = 0; lineNumber < 10; lineNumber++)
    for (let columnNumber = 0; columnNumber < 5_000; columnNumber++) {
      const entry = map.findEntry(lineNumber, columnNumber);
      if (!("originalLine" in entry) || entry.generatedLine !== lineNumber) continue;
      if (entry.originalSource === url && entry.originalLine === line)
        return { lineNumber, columnNumber: entry.generatedColumn };
    }
  throw new Error(`${url}:${line} is not in the map of the script`);
}

test(
  "a breakpoint at the author's line",
  async (t) => {
    const file = join(await t.folder(), "mine.ts");
    await writeFile(file, SOURCE);
    const out: { readonly socket?: string; readonly inspector?: string; readonly text: string }[] = [];
    let stop = (): void => {};
    const settings = { backend: "model", inspectPort: 0, policy: undefined, dataDir: undefined } as const;
    const ended = dev(
      file,
      { ...settings, dockerDir: undefined, netns: undefined, isolation: undefined },
      {
        onSignal: (name, act) => {
          if (name === "SIGTERM") stop = act;
          return () => {};
        },
        exit: () => {},
        out: (text) =>
          out.push(
            ...text
              .trim()
              .split("\n")
              .map((line) => JSON.parse(line)),
          ),
      },
      true,
    );
    t.cleanup(async () => {
      stop();
      await ended;
    });
    const { heard, send } = await debug(t);
    const socket = await until(() => out.find((line) => line.socket)?.socket, "the driver's socket", 20_000);
    const inspector = out.find((line) => line.inspector)?.inspector ?? "";
    const [target] = (await (await fetch(`http://${new URL(inspector).host}/json/list`)).json()) as {
      webSocketDebuggerUrl: string;
    }[];
    assert.is(target?.webSocketDebuggerUrl, inspector);

    const mapped = (url: string): boolean => url.startsWith("data:application/json");
    const script = await until(
      () => heard.find(({ method, params }) => method === "Debugger.scriptParsed" && mapped(params.sourceMapURL ?? "")),
      "the plugin's script",
    );
    const line = SOURCE.split("\n").findIndex((text) => text.includes("// here"));
    const place = placeOf(script.params.sourceMapURL, file, line);
    const set = await send(script.worker, "Debugger.setBreakpoint", {
      location: { scriptId: script.params.scriptId, ...place },
    });
    assert.ok(set.result.breakpointId, JSON.stringify(set));
    const answer = post(socket, "/NetworkDriver.CreateNetwork", {
      NetworkID: "n1",
      Options: {},
      IPv4Data: [],
      IPv6Data: [],
    });
    const paused = await until(
      () => heard.find(({ method }) => method === "Debugger.paused"),
      "the breakpoint",
      10_000,
    );
    const { callFrameId } = paused.params.callFrames[0];
    const value = await send(script.worker, "Debugger.evaluateOnCallFrame", { callFrameId, expression: "seen" });
    assert.is(value.result.result.value, "n1!");
    await send(script.worker, "Debugger.resume");
    assert.equal((await answer).body, {});
  },
  { ms: 60_000 },
);

test("it does not go with what it chooses itself", async (t) => {
  const file = join(await t.folder(), "mine.ts");
  await writeFile(file, SOURCE);
  for (const [args, says] of [
    [["--inspect", "x"], /--inspect is a port from 0 to 65535, not "x"/],
    [["--inspect", "0", "--isolation", "process"], /does not go with --isolation/],
    [["--inspect", "0", "--policy", "p.json"], /does not go with --policy/],
  ] as const) {
    const ran = await rejection(run(process.execPath, [join(REPO, "dist/cli/main.js"), "dev", file, ...args]));
    assert.equal([ran.code, says.test(String(ran.stderr))], [2, true], String(ran.stderr));
  }
});

test.run();
