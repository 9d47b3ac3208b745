/**
 * One plugin's life in its worker: start, incoming calls, outgoing requests. All authority of the worker comes in as
 * arguments.
 */
import * as Comlink from "comlink";
import type { Json } from "../driverapi/json.js";
import { LIMITS } from "../protocol/limits.js";
import type { ApplyRequest, DownMessage, HostError, Reply, StartMessage } from "../protocol/messages.js";
import { PROTOCOL_VERSION } from "../protocol/messages.js";
import { RUNTIME_VERSION } from "../protocol/version.js";
import { createWireEndpoint } from "./comlink-endpoint.js";
import { DriverTable } from "./drivers.js";
import { type DescribeThrown, rebuildError, thrownDescriber } from "./errors.js";
import { HostRequests, type RemoteHost } from "./host-requests.js";
import type { Realm } from "./lockdown.js";
import { missingInitMessage } from "./missing-init.js";
import type { Outbox } from "./outbox.js";
import { assemblePowers } from "./powers.js";
import { evaluateBundle } from "./sandbox.js";

export interface SessionOptions {
  readonly realm: Realm;
  readonly outbox: Outbox;
  /** Write to the shared cell. */
  readonly running: (id: number) => void;
  readonly started: (id: number) => void;
  /** Monotonic milliseconds, on the host's clock. */
  readonly now: () => number;
  /** Called before the first line of plugin code runs. */
  readonly onBegin: () => void;
}

export interface WorkerSession {
  receive(message: DownMessage): void;
  crashed(error: unknown, origin: string): void;
}

/** The cell's value while a bundle is being evaluated. */
const EVALUATING = -1;

export function runSession(options: SessionOptions): WorkerSession {
  const { realm, outbox } = options;
  let start: StartMessage | undefined;
  const describe: DescribeThrown = thrownDescriber(realm.stackOf, () => start);
  const calls = createWireEndpoint((message) => outbox.push({ kind: "reply", message: message as Reply }));
  const answers = createWireEndpoint((message) => outbox.push({ kind: "request", message: message as ApplyRequest }));
  extendThrownErrors(describe);
  const remote = Comlink.wrap(answers) as unknown as RemoteHost;
  let starting = true;
  const port = new HostRequests(remote, (name, args) => {
    outbox.push({ kind: "notice", name, args });
    // Sent at once: a log line before an endless loop is what helps an author find the loop.
    if (starting && name === "log.write") outbox.flush();
  });
  const drivers = new DriverTable({
    register: (name, index, scope, optional) =>
      port.request("registerDriver", [name, index, scope, optional] as Json[]),
    refused: (name, code, message) => port.notify("driverRefused", [name, code, message.slice(0, LIMITS.messageChars)]),
    running: options.running,
    started: options.started,
  });
  Comlink.expose(drivers.service(), calls);

  async function begin(message: StartMessage): Promise<void> {
    if (message.protocol !== PROTOCOL_VERSION || message.runtime !== RUNTIME_VERSION) {
      fail("protocol", new Error(`the host speaks protocol ${message.protocol} of runtime ${message.runtime}`));
      return;
    }
    start = message;
    options.onBegin();
    // Evaluation may block for long: the host's frame is acknowledged first.
    outbox.flush();
    let exports: unknown;
    let init: unknown;
    const { globals, powers } = assemblePowers(message.grant, port);
    options.running(EVALUATING);
    try {
      exports = evaluateBundle(realm, message.plugin, message.code, globals);
      init = (exports as { init?: unknown } | null | undefined)?.init;
    } catch (error) {
      fail("load", error);
      return;
    } finally {
      options.running(0);
    }
    if (typeof init !== "function") {
      fail("export", new Error(missingInitMessage(exports)));
      return;
    }
    try {
      await Reflect.apply(init, undefined, [drivers.callback(), realm.harden(powers)]);
    } catch (error) {
      fail("init", error);
      return;
    }
    starting = false;
    outbox.push({ kind: "started" });
  }

  function fail(stage: "load" | "export" | "init" | "protocol", error: unknown): void {
    outbox.push({ kind: "failed", stage, error: describe(error) });
    outbox.flush();
  }

  return {
    receive(message) {
      switch (message.kind) {
        case "start":
          if (start === undefined) void begin(message);
          break;
        case "call": {
          const id = message.message.id as number;
          if (options.now() >= message.expires) outbox.push({ kind: "dropped", id });
          else drivers.delivering(id, () => calls.deliver(message.message));
          break;
        }
        case "answer":
          answers.deliver(message.message);
          break;
        case "cancel":
          drivers.cancel(message.id);
          break;
        case "ping":
          break;
      }
    },
    crashed(error, origin) {
      outbox.push({ kind: "crashed", origin, error: describe(error) });
      outbox.flush();
    },
  };
}

/** Replaces comlink's `throw` handler, which loses `code` and more; ours carries them both ways. */
function extendThrownErrors(describe: DescribeThrown): void {
  const original = Comlink.transferHandlers.get("throw");
  if (!original) throw new Error("comlink has no throw handler");
  Comlink.transferHandlers.set("throw", {
    canHandle: (value): value is unknown => original.canHandle(value),
    serialize: (thrown) => [describe((thrown as { value: unknown }).value), []],
    deserialize: (error) => {
      throw rebuildError(error as HostError);
    },
  });
}
