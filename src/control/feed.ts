/** Fills the event log: every event of the host, and the lines of its log. */
import type { JsonObject } from "../driverapi/json.js";
import type { HostEventName, HostEvents } from "../host/events.js";
import type { OperatorHost } from "../host/operator-host.js";
import type { EventLog } from "./event-log.js";

/** The words of each event. `plugin:log` is a line of the log. */
const WORDS: { readonly [N in Exclude<HostEventName, "plugin:log">]: (event: HostEvents[N]) => string } = {
  "plugin:loaded": () => "loaded",
  "plugin:awaiting-grant": ({ reason }) => reason ?? "waits for its grant",
  "plugin:refused": ({ reason }) => reason ?? "refused",
  "plugin:restarting": ({ reason }) => `ended: ${reason}`,
  "plugin:restarted": ({ reason }) => `restarted after: ${reason}`,
  "plugin:unavailable": ({ reason }) => `out of service: ${reason}`,
  "plugin:stopped": ({ reason }) => `stopped: ${reason}`,
  "driver:registered": ({ type }) => `type ${type} is registered`,
  "driver:unregistered": ({ type }) => `type ${type} is no longer registered`,
  "driver:refused": ({ type }) => `type ${type} was refused`,
  "call:timeout": ({ type, method, ms }) => `${type}.${method} passed its deadline of ${ms} ms`,
  violation: ({ detail }) => `terminated for a violation: ${detail}`,
  "storage:problem": ({ reason, over }) => `${over ? "over: " : ""}${reason}`,
};

/** Follows the host until the returned function is called. `problem`: told of each problem of the data folder. */
export function feed(
  host: OperatorHost,
  log: EventLog,
  problem: (event: HostEvents["storage:problem"]) => void,
): () => void {
  const undo: (() => void)[] = [];
  const follow = <N extends keyof typeof WORDS>(name: N): void => {
    const listener = (event: HostEvents[N]): void => {
      const { plugin, code, ...data } = event as { readonly plugin?: string; readonly code?: string };
      const about = { ...(plugin === undefined ? {} : { plugin }), ...(code === undefined ? {} : { code }) };
      log.add({ event: name, ...about, message: WORDS[name](event), data: data as JsonObject });
    };
    host.on(name, listener);
    undo.push(() => host.off(name, listener));
  };
  for (const name of Object.keys(WORDS)) follow(name as keyof typeof WORDS);
  host.on("storage:problem", problem);
  undo.push(() => host.off("storage:problem", problem));
  undo.push(
    host.log(({ time, fields, ...line }) => {
      log.add({ event: "log", ...line, ...(fields ? { data: fields as JsonObject } : {}) }, time);
    }),
  );
  return () => {
    for (const one of undo) one();
  };
}
