/** What the policy says of a plugin now, compared with what its running version was given. */
import { differences, differenceText } from "../../policy/difference.js";
import { type Effective, effectiveGrant } from "../../policy/effective.js";
import { policyEntry } from "../../policy/schema.js";
import { standingOf } from "../../policy/standing.js";
import type { Life } from "./life.js";
import type { Prepared } from "./prepare.js";

/** Returns why the policy stops the plugin; undefined if it does not. */
export function stoppedByPolicy({ id, context }: Life): string | undefined {
  const stopped = policyEntry(context.policy(), id)?.enabled === false;
  return stopped ? 'the policy stops it ("enabled": false)' : undefined;
}

/** Describes in what the running version has more than the policy now grants; "" if in nothing. */
export function excessText(life: Life): string {
  const running = life.service.prepared;
  if (!running) return "";
  const found = differences(standingOf(grantNow(life, running)), standingOf(running.effective));
  return differenceText(found.filter(({ way }) => way === "more"));
}

/** Lists the permissions, and "scope", that the running version has and the policy no longer grants. */
export function exceeding(life: Life): readonly string[] {
  const running = life.service.alive ? life.service.prepared : undefined;
  if (!running) return [];
  const now = grantNow(life, running);
  const { permissions, scope } = running.effective;
  const gone = Object.keys(permissions).filter((name) => !Object.hasOwn(now.permissions, name));
  return scope === now.scope || now.scope === "global" ? gone : [...gone, "scope"];
}

/** Returns what the policy now grants to that version. */
function grantNow({ id, context }: Life, { manifest }: Prepared): Effective {
  const { isolation, threadsOnly } = context;
  return effectiveGrant({ id, policy: context.policy(), hostIsolation: isolation, threadsOnly, manifest });
}
