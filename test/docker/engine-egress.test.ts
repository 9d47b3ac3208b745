/** The driver `egress` under a stock engine: the machine's own; with BULKHEAD_ENGINES=whole, every one. */
import { suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { closeClean, machineState } from "./engine/clean.js";
import { egress } from "./engine/egress.js";
import { ENGINES, type EngineKind, noRoot, STOCK, WHOLE } from "./engine/kinds.js";
import { Play } from "./engine/play.js";
import { noEngine } from "./engine/stage.js";

for (const kind of WHOLE ? Object.values(ENGINES) : [ENGINES.machine]) scene(kind);

function scene(kind: EngineKind): void {
  const test = suite(`docker: egress on a stock engine ${kind.release}`);
  const needs = noEngine() ?? noRoot(kind) ?? noBubblewrap;
  let play: Promise<Play> | undefined;
  let before: readonly string[] = [];
  const open = async (): Promise<Play> => {
    if (play === undefined) before = await machineState();
    play ??= Play.open({ kind, variant: STOCK, hanging: false, more: ["egress"] });
    return play;
  };
  egress(test, open, needs);
  test("the machine is as it was", async () => closeClean((await open()).stage, before), { ms: 60_000, needs });
  test.run();
}
