/** The macvlan driver keeps the contract, on both backends. */
import { suite } from "../harness.js";
import { generic, keepsTheContract, PARENTS } from "./shipped.js";

const test = suite("plugins/macvlan: the contract");

keepsTheContract(test, "macvlan", {
  network: (n) => generic({ parent: PARENTS[n] ?? "", subnet: `10.64.${n}.0/24` }),
});

test.run();
