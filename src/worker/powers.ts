/** Turns a grant into what the plugin gets: its compartment's globals, and its `powers`. */
import type { JsonObject } from "../driverapi/json.js";
import type { PermissionName } from "../permissions/catalogue.js";
import { endow as clock } from "../permissions/clock/worker.js";
import { endow as cluster } from "../permissions/cluster/worker.js";
import { endow as firewall } from "../permissions/firewall/worker.js";
import { endow as intl } from "../permissions/intl/worker.js";
import { endow as log } from "../permissions/log/worker.js";
import { endow as netlink } from "../permissions/netlink/worker.js";
import type { Endowment, HostPort } from "../permissions/permission.js";
import { endow as random } from "../permissions/random/worker.js";
import { endow as resolver } from "../permissions/resolver/worker.js";
import { endow as store } from "../permissions/store/worker.js";
import { endow as text } from "../permissions/text-globals/worker.js";
import { endow as timers } from "../permissions/timers/worker.js";
import { endow as traffic } from "../permissions/traffic/worker.js";

type Endow = (limits: never, port: HostPort) => Endowment;

/** Worker halves by permission name. */
const ENDOWMENTS: Readonly<Record<PermissionName, Endow>> = {
  log,
  timers,
  clock,
  random,
  store,
  netlink,
  firewall,
  resolver,
  traffic,
  cluster,
};

export interface Powers {
  readonly globals: Readonly<Record<string, unknown>>;
  readonly powers: Readonly<Record<string, unknown>>;
}

/** Assembles everything granted, and the text and URL helpers that every plugin has. */
export function assemblePowers(grant: JsonObject, port: HostPort): Powers {
  const globals: Record<string, unknown> = {};
  const powers: Record<string, unknown> = {};
  for (const [name, limits] of Object.entries(grant)) {
    if (!Object.hasOwn(ENDOWMENTS, name)) throw new Error(`this runtime has no permission "${name}"`);
    const endowment = ENDOWMENTS[name as PermissionName](limits as never, port);
    Object.assign(globals, endowment.globals);
    if (endowment.power !== undefined) powers[name] = endowment.power;
  }
  return { globals: { ...text(globals.Date).globals, ...intl(globals.Date).globals, ...globals }, powers };
}
