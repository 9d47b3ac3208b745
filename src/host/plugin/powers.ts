/** The host halves of what a plugin was granted. They outlive its workers. */
import { DriverError } from "../../driverapi/errors.js";
import { HostTime } from "../../permissions/host-time.js";
import { createLogPower } from "../../permissions/log/host.js";
import type { HostPower, PowerMethod, PowerNotice } from "../../permissions/permission.js";
import { createStorePower } from "../../permissions/store/host.js";
import type { HostContext } from "../context.js";
import type { EffectivePermissions } from "../policy/effective.js";

export interface OpenPowers {
  readonly methods: ReadonlyMap<string, PowerMethod>;
  readonly notices: ReadonlyMap<string, PowerNotice>;
  /** What its requests, and the reading of what it sends, cost the platform's own thread. */
  readonly time: HostTime;
  close(): Promise<void>;
}

/** `refused` is told of every request that a power refuses as not allowed. */
export function openPowers(
  plugin: string,
  permissions: EffectivePermissions,
  context: HostContext,
  refused: (error: DriverError) => void,
): OpenPowers {
  const time = new HostTime();
  const opened: HostPower[] = [];
  if (permissions.log) opened.push(createLogPower({ plugin, limits: permissions.log, logger: context.logger }));
  if (permissions.store)
    opened.push(createStorePower({ plugin, limits: permissions.store, backend: context.store, time }));
  const { firewall, netlink } = permissions;
  if (netlink) opened.push(context.netlink.open(plugin, netlink));
  if (firewall) opened.push(context.firewall.open(plugin, firewall, netlink));
  return {
    time,
    methods: new Map(
      opened.flatMap((one) =>
        [...(one.methods ?? [])].map(([name, method]) => [name, watched(method, refused)] as const),
      ),
    ),
    notices: new Map(opened.flatMap((one) => [...(one.notices ?? [])])),
    async close() {
      for (const one of opened) await one.close?.();
      time.close();
    },
  };
}

function watched(method: PowerMethod, refused: (error: DriverError) => void): PowerMethod {
  const look = (error: unknown): never => {
    if (error instanceof DriverError && error.kind === "Forbidden") refused(error);
    throw error;
  };
  return (args) => {
    try {
      const answer = method(args);
      return answer instanceof Promise ? answer.catch(look) : answer;
    } catch (error) {
      return look(error);
    }
  };
}
