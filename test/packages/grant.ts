/** What every plugin is granted without a word in the policy. */
import type { JsonObject } from "#dist/driverapi/json.js";
import { PERMISSIONS } from "#dist/permissions/catalogue.js";

export function defaultGrant(): JsonObject {
  const harmless = Object.entries(PERMISSIONS).filter(([, { harmless }]) => harmless);
  return JSON.parse(JSON.stringify(Object.fromEntries(harmless.map(([name, { defaults }]) => [name, defaults]))));
}
