/** An attack on the process itself, behind the wall: what it came to is seen, and what must hold whatever it came to. */
import { assert, until } from "../harness.js";
import type { Outcome } from "./case.js";
import type { RealmCase } from "./cases/class-g-realm.js";
import { forgive, malloryInfo, type OwnedHost, unharmed } from "./owned-host.js";

/** How long an attack that must fail may still succeed, in milliseconds. */
const SETTLED_MS = 400;

let attacks = 0;

export async function seize(one: OwnedHost, { attack, ends }: RealmCase): Promise<Outcome> {
  const { host, mallory, lines, life, pulse, violations } = one;
  lines.length = 0;
  life.length = 0;
  violations.length = 0;
  const nid = `seize-attack-${++attacks}`;
  const call = await mallory.createNetwork(`attack-${nid}`, attack as never).then(
    () => undefined,
    (error: Error & { code?: string }) => error,
  );
  if (call) assert.match(call.code ?? "", /^ERR_(OUTCOME_UNKNOWN|DRIVER_BUSY|DRIVER_TIMEOUT|DRIVER_FAILED)$/);
  else if (ends) await until(() => life.length > 0, "the end of mallory's worker", 15_000);
  else await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
  const ended = call !== undefined || life.length > 0;
  if (ended) await until(() => life.includes("plugin:restarted"), "mallory's restart", 15_000);
  const gone = lines.some(
    ({ fields }) =>
      fields.code === "ERR_HOST_PROCESS" && Array.isArray(fields.plugins) && fields.plugins.includes("mallory"),
  );
  for (const { message } of lines) assert.not.match(message, /[\p{Cc}\u202e]/u);
  // It serves again, and so does the neighbour: with its networks, and a store nobody has written to.
  await until(() => malloryInfo(host).state === "running", "mallory");
  await mallory.createNetwork("honest");
  await mallory.deleteNetwork("honest");
  await pulse.answers(3);
  assert.is(pulse.wrong, undefined);
  unharmed(one);
  if (ended) await forgive(one);
  await mallory.deleteNetwork(`attack-${nid}`).catch(() => {});
  return gone ? "host ended and recovered" : ended ? "plugin ended" : "refused inside";
}
