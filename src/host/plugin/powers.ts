/** The host halves of a plugin's permissions. They outlive its workers. */

import { monotonicNow } from "../../common/clock.js";
import { PLUGIN_OUTPUT } from "../../common/logger.js";
import { messageOf } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import type { Json } from "../../driverapi/json.js";
import type { PermissionLimits, PermissionName } from "../../permissions/catalogue.js";
import { HostTime } from "../../permissions/host-time.js";
import { createLogPower, type LogLevel, type LogSink } from "../../permissions/log/host.js";
import type { HostPower, PowerMethod, PowerNotice } from "../../permissions/permission.js";
import { createStorePower } from "../../permissions/store/host.js";
import type { EffectivePermissions } from "../../policy/effective.js";
import type { HostContext } from "../context.js";
import type { PluginLogEvent } from "../events.js";
import type { FlightRecorder } from "../recorder/flight-recorder.js";

export interface OpenPowers {
  readonly methods: ReadonlyMap<string, PowerMethod>;
  readonly notices: ReadonlyMap<string, PowerNotice>;
  /** Main-thread time of its requests, and of reading what it sends. */
  readonly time: HostTime;
  /** Revokes permissions at once: their requests, including waiting ones, are refused from now on. */
  revoke(permissions: readonly string[]): Promise<void>;
  close(): Promise<void>;
}

interface Opening {
  readonly plugin: string;
  readonly permissions: EffectivePermissions;
  readonly context: HostContext;
  readonly time: HostTime;
}

/** Opens the host half of each permission; undefined for one that has only a worker half. */
const OPENERS: {
  readonly [N in PermissionName]: ((opening: Opening, limits: PermissionLimits[N]) => HostPower) | undefined;
} = {
  log: ({ plugin, context }, limits) => createLogPower({ plugin, limits, logger: pluginSink(plugin, context) }),
  timers: undefined,
  clock: undefined,
  random: undefined,
  store: ({ plugin, context, time }, limits) => createStorePower({ plugin, limits, backend: context.store, time }),
  netlink: ({ plugin, context }, limits) => context.netlink.open(plugin, limits),
  firewall: ({ plugin, permissions, context }, limits) => context.firewall.open(plugin, limits, permissions.netlink),
  resolver: ({ plugin, context }, limits) => context.resolver.open(plugin, limits),
  traffic: ({ plugin, context }, limits) => context.traffic.open(plugin, limits),
  cluster: ({ plugin, context, time }, limits) => context.cluster.open(plugin, limits, time),
};

/** Opens the powers; `refused` is called for every request that a power refuses as not allowed. */
export function openPowers(
  plugin: string,
  permissions: EffectivePermissions,
  context: HostContext,
  refused: (error: DriverError) => void,
): OpenPowers {
  const time = new HostTime();
  const opened = new Map<string, HostPower>();
  for (const name of Object.keys(permissions) as PermissionName[]) {
    const power = OPENERS[name]?.({ plugin, permissions, context, time }, permissions[name] as never);
    if (power) opened.set(name, power);
  }
  const revoked = new Set<string>();
  return {
    time,
    methods: new Map(
      [...opened].flatMap(([permission, one]) =>
        [...(one.methods ?? [])].map(([name, method]) => {
          const open: PowerMethod = (args) => {
            if (!revoked.has(permission)) return method(args);
            const words = `${name}: permission "${permission}" of plugin "${plugin}" was revoked`;
            throw new DriverError("ERR_PERMISSION_REVOKED", words, { plugin });
          };
          const seers: Seers = {
            refused,
            noting: () => context.usage.watched(plugin),
            note: (args) => context.usage.note(plugin, name, args),
            record: recordingOf(context.recorder, plugin, name),
          };
          return [name, watched(open, seers)] as const;
        }),
      ),
    ),
    notices: new Map([...opened.values()].flatMap((one) => [...(one.notices ?? [])])),
    async revoke(names) {
      for (const name of names) {
        if (revoked.has(name)) continue;
        revoked.add(name);
        await opened.get(name)?.close?.();
      }
    },
    async close() {
      for (const [name, one] of opened) if (!revoked.has(name)) await one.close?.();
      time.close();
    },
  };
}

/** Returns the sink for a plugin's log lines, bounded and escaped: the platform's logger, and listeners of `plugin:log`. */
function pluginSink(plugin: string, { logger, events }: HostContext): LogSink {
  const through =
    (level: LogLevel): LogSink[LogLevel] =>
    (told, message) => {
      const { fields } = told as Pick<PluginLogEvent, "fields">;
      logger[level]({ ...told, ...PLUGIN_OUTPUT }, message);
      events.emit("plugin:log", { plugin, level, message, ...(fields === undefined ? {} : { fields }) });
    };
  return { debug: through("debug"), info: through("info"), warn: through("warn"), error: through("error") };
}

function recordingOf(recorder: FlightRecorder | undefined, plugin: string, name: string): Seers["record"] {
  return (
    recorder &&
    ((args, began, error) => {
      const code = error === undefined ? undefined : error instanceof DriverError ? error.code : "ERR_INTERNAL";
      recorder.request(plugin, name, args, began, code, error === undefined ? undefined : messageOf(error));
    })
  );
}

/** What sees a permission's requests. */
interface Seers {
  refused(error: DriverError): void;
  /** True while what is granted is noted. */
  noting(): boolean;
  note(args: readonly Json[]): void;
  /** Records an answer; `began`: in monotonic milliseconds. */
  readonly record: ((args: readonly Json[], began: number, error?: unknown) => void) | undefined;
}

function watched(method: PowerMethod, { refused, noting, note, record }: Seers): PowerMethod {
  return (args) => {
    const began = record ? monotonicNow() : 0;
    const report = (error: unknown): never => {
      record?.(args, began, error);
      if (error instanceof DriverError && error.kind === "Forbidden") refused(error);
      throw error;
    };
    const granted = (value: Json): Json => {
      record?.(args, began);
      if (noting()) note(args);
      return value;
    };
    try {
      const answer = method(args);
      return answer instanceof Promise ? answer.then(granted, report) : granted(answer);
    } catch (error) {
      return report(error);
    }
  };
}
