/**
 * What an idle spare does: it runs one plugin's life from start to replies, with a built-in driver and no host. Code that has
 * run once is already compiled when a plugin's start, and its first call, wait for it.
 */
import { DRIVER_METHODS, OPTIONAL_DRIVER_METHODS } from "../driverapi/constants.js";
import { PLUGIN_GLOBAL } from "../protocol/bundle-global.js";
import { DownFrames, decodeDown, routeHeader } from "../protocol/frame.js";
import { type DownMessage, PROTOCOL_VERSION, type UpMessage, type WorkerMethod } from "../protocol/messages.js";
import { readUpMessage } from "../protocol/read-up.js";
import { RUNTIME_VERSION } from "../protocol/version.js";
import { Outbox } from "./outbox.js";
import type { SessionOptions, WorkerSession } from "./session.js";

const NAME = "warm-up";

const DRIVER = `var ${PLUGIN_GLOBAL}=(()=>{const driver={};for(const method of ${JSON.stringify([...DRIVER_METHODS, ...OPTIONAL_DRIVER_METHODS])})driver[method]=()=>{};
driver.type=()=>"${NAME}";driver.createEndpoint=(nid,eid,info)=>{if(info.interfaces().length===0)info.addInterface(1,"02:42:0a:01:00:02","10.1.0.2/24")};
driver.join=(nid,eid,key,info)=>{for(const one of info.interfaceNames())one.setNames("veth","eth");info.setGateway("10.1.0.1")};
return {init:(callback)=>callback.registerDriver("${NAME}",driver,{scope:"local"})}})()`;

/** One call of each method, as the host sends it: the arguments after the driver's index, as JSON text. */
const CALLS: ReadonlyArray<readonly [method: WorkerMethod, args: readonly string[]]> = [
  ["createNetwork", ['"n"', "{}", "false"]],
  ["createEndpoint", ['"n"', '"e"', "[]", "{}", "false"]],
  ["endpointOperInfo", ['"n"', '"e"']],
  ["join", ['"n"', '"e"', '"s"', "[1]", "{}", "false"]],
  ["programExternalConnectivity", ['"n"', '"e"', "{}", "false"]],
  ["revokeExternalConnectivity", ['"n"', '"e"']],
  ["leave", ['"n"', '"e"']],
  ["deleteEndpoint", ['"n"', '"e"']],
  ["deleteNetwork", ['"n"']],
];

/** Runs it. `open` opens a session without any outside effect. Resolves with the number of calls answered. */
export function warmUp(
  open: (options: Pick<SessionOptions, "outbox" | "running" | "started" | "onBegin">) => WorkerSession,
): Promise<number> {
  return new Promise((resolve) => {
    let replies = 0;
    let answered = 0;
    const down = new DownFrames(routeHeader(0));
    const give = (): void => {
      for (const message of decodeDown(down.take())) session.receive(message);
    };
    const hear = (message: UpMessage): void => {
      if (message.kind === "reply") {
        if (message.message.type === "RAW") answered++;
        if (++replies === CALLS.length) resolve(answered);
      }
      if (message.kind === "failed") resolve(answered);
      if (message.kind === "request") {
        const { id } = message.message;
        down.message(
          JSON.stringify({ kind: "answer", message: { id, type: "RAW", value: null } } satisfies DownMessage),
        );
        give();
      }
      if (message.kind === "started") {
        for (const [index, [method, args]] of CALLS.entries())
          down.call(index + 1, Number.MAX_SAFE_INTEGER, method, 0, args);
        give();
      }
    };
    const outbox = new Outbox(routeHeader(0), (frame) => {
      const [, ...messages] = JSON.parse(frame.slice(routeHeader(0).length)) as [number, ...unknown[]];
      for (const message of messages) hear(readUpMessage(message));
    });
    const nothing = (): void => {};
    const session = open({ outbox, running: nothing, started: nothing, onBegin: nothing });
    down.message(
      JSON.stringify({
        kind: "start",
        protocol: PROTOCOL_VERSION,
        runtime: RUNTIME_VERSION,
        plugin: NAME,
        code: DRIVER,
        sourceMap: "{}",
        grant: {},
      } satisfies DownMessage),
    );
    give();
  });
}
