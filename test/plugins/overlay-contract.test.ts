/** The overlay driver keeps the contract, on the model: `overlay-hosts` has it on the kernel. */
import { suite } from "../harness.js";
import { generic, keepsTheContract } from "./shipped.js";

const test = suite("plugins/overlay: the contract");

keepsTheContract(
  test,
  "overlay",
  {
    network: (n) => generic({ network: `n${n}`, subnet: `10.${64 + n}.0.0/16`, subnet6: `fd64:0:${n}::/48` }),
  },
  { kinds: ["model"] },
);

test.run();
