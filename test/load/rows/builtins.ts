/** Driver code heavy in built-ins, in the sandbox, against the same code in a bare worker without SES. */
import { once } from "node:events";
import { Worker } from "node:worker_threads";
import { EndpointConfig } from "bulkhead";
import { openHouse } from "../hosts.js";
import { driverSource } from "../plugins.js";
import type { Measure } from "../row.js";

const ID = "builtins";

/** `heavy(rounds)`: half a microsecond or so each. */
const HEAVY = `
function heavy(rounds) {
  const seen = new Map();
  let sum = 0;
  for (let i = 0; i < rounds; i++) {
    const one = JSON.parse(JSON.stringify({ id: i % 512, mask: Math.floor(Math.sqrt(i)) }));
    const key = String(one.id);
    seen.set(key, Object.keys(one).length + (seen.get(key) ?? 0));
    sum += Math.max(one.mask, Math.imul(i, 3) % 7) + Object.entries(one).length + Number.parseInt(key, 10);
    if (Array.isArray(one) || !Object.hasOwn(one, "id")) throw new Error("never");
  }
  return { sum, keys: seen.size };
}
`;

/** Milliseconds that a call of it takes, the second of two: the first one warms up. */
async function timed(call: () => Promise<unknown>): Promise<number> {
  await call();
  const began = performance.now();
  await call();
  return performance.now() - began;
}

async function sandboxed(rounds: number): Promise<number> {
  const source = driverSource({ top: HEAVY, methods: `endpointOperInfo() { return heavy(${rounds}); },` });
  const house = await openHouse({ isolation: "thread", plugins: { load: source } });
  try {
    const driver = house.host.driver("load");
    await driver.createNetwork("n");
    await driver.createEndpoint("n", "e", new EndpointConfig());
    return await timed(() => driver.endpointOperInfo("n", "e"));
  } finally {
    await house.stop();
  }
}

async function bare(rounds: number): Promise<number> {
  const code = `${HEAVY} const { parentPort } = require("node:worker_threads");
    parentPort.on("message", (rounds) => parentPort.postMessage(heavy(rounds)));`;
  const worker = new Worker(code, { eval: true });
  try {
    return await timed(async () => {
      worker.postMessage(rounds);
      await once(worker, "message");
    });
  } finally {
    await worker.terminate();
  }
}

export const builtins: Measure = {
  rows: [
    {
      id: ID,
      what: "driver code heavy in built-ins (Math, JSON, Object, Map), in the sandbox",
      peer: "the same code without SES",
      unit: "ms",
      direction: "at most",
      bar: 1.3,
      aim: 1.1,
    },
  ],
  seconds: 4,
  async round(run) {
    const rounds = run.count(200_000, 5_000);
    return {
      [ID]: await run.pair(
        () => sandboxed(rounds),
        () => bare(rounds),
      ),
    };
  },
};
