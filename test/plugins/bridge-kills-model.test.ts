/** A host process is killed in the midst of lives on the model, on two hosts at once: four fifths of them. */

import { BRIDGE_KILLS } from "../amounts.js";
import { suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { lives, SEED } from "./bridge-lives.js";

const test = suite("plugins/bridge: its host process is killed");

const COUNT = BRIDGE_KILLS - Math.ceil(BRIDGE_KILLS / 5);

test(
  `model: ${COUNT} lives`,
  async (t) => {
    const [one, other] = await Promise.all([
      lives(t, "model", Math.ceil(COUNT / 2), SEED),
      lives(t, "model", Math.floor(COUNT / 2), SEED + 1),
    ]);
    const struck = one + other;
    console.log(
      `\nNOTE model: ${COUNT} lives of seed ${SEED}: a call was in flight in ${struck} of them when the kill came`,
    );
  },
  { ms: 60_000 + COUNT * 3_000, needs: noBubblewrap },
);

test.run();
