/** A host process is killed in the midst of lives on the kernel: a fifth of them. */

import { BRIDGE_KILLS } from "../amounts.js";
import { suite } from "../harness.js";
import { noBubblewrap } from "../isolation/walled.js";
import { noKernel } from "../permissions/netlink/backends.js";
import { lives, SEED } from "./bridge-lives.js";

const test = suite("plugins/bridge: its host process is killed");

const COUNT = Math.ceil(BRIDGE_KILLS / 5);

test(
  `kernel: ${COUNT} lives`,
  async (t) => {
    const struck = await lives(t, "kernel", COUNT, SEED);
    console.log(
      `\nNOTE kernel: ${COUNT} lives of seed ${SEED}: a call was in flight in ${struck} of them when the kill came`,
    );
  },
  { ms: 60_000 + COUNT * 3_000, needs: noBubblewrap ?? noKernel },
);

test.run();
