/** The bridge driver keeps the contract, with a firewall and without. */
import { suite } from "../harness.js";
import { generic, keepsTheContract } from "./shipped.js";

const test = suite("plugins/bridge: the contract");

const options = {
  network: (n: number) => generic({ subnet: `10.64.${n}.0/24`, subnet6: `fd64:0:0:${n}::/64` }),
};
keepsTheContract(test, "bridge", options);
keepsTheContract(test, "bridge", options, { kinds: ["model"], firewall: { ports: ["8000-8999"] } });

test.run();
