/** Rules about a caller that aborts a call. */
import { expect, outcome, told } from "../expect.js";
import type { RuleRow } from "../rule.js";
import { SEED } from "../seed.js";
import { LIFE, Life, type LifeStep } from "./life.js";

/** When the caller aborts: at once, once the call has been sent, and a little later. */
const MOMENTS: readonly ((go: () => void) => void)[] = [
  (go) => go(),
  (go) => void setImmediate(go),
  (go) => void setTimeout(go, 2),
];

export const ABORT_RULES: readonly RuleRow[] = LIFE.map(abortDuring);

function abortDuring(step: LifeStep, index: number): RuleRow {
  return {
    id: `abort-${step}`,
    says: `A caller that aborts ${step}() leaves nothing half-done: the same call, made again, works.`,
    seed: SEED[step],
    async try(trial) {
      for (const moment of MOMENTS) {
        const life = await Life.of(trial);
        await life.steps(LIFE.slice(0, index));
        const caller = new AbortController();
        const call = outcome(life.step(step, { signal: caller.signal }));
        moment(() => caller.abort());
        const error = await call;
        const known = error === undefined || error.code === "ERR_CALL_ABORTED";
        expect(known, `${step} of a caller that left rejects with ${told(error)}`);
        if (error) await life.retry(step);
        await life.end(LIFE.slice(index + 1));
      }
    },
  };
}
