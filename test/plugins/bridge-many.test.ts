/** Networks of twenty endpoints each, made and deleted in parallel: half of them four at a time, then all at once. */
import { EndpointConfig } from "#dist/index.js";
import { NETWORKS } from "../amounts.js";
import { assert, suite } from "../harness.js";
import { DRIVER_KINDS, noKernel } from "../permissions/netlink/backends.js";
import { generic, serve } from "./shipped.js";

const test = suite("plugins/bridge: many");
const ENDPOINTS = 20;

/** Runs the jobs, at most `width` at a time. */
async function parallel(width: number, jobs: readonly (() => Promise<void>)[]): Promise<void> {
  const queue = jobs[Symbol.iterator]();
  const runner = async (): Promise<void> => {
    for (const job of queue) await job();
  };
  await Promise.all(Array.from({ length: width }, runner));
}

for (const kind of DRIVER_KINDS) {
  test(
    `${kind}: ${NETWORKS} networks of ${ENDPOINTS} endpoints, four at a time and all at once`,
    async (t) => {
      const { host, hub } = await serve(t, "bridge", kind, { policy: { timeouts: { default: 60_000 } } });
      const driver = host.driver("bridge");
      // Four at a time, half as many show the same.
      for (const [width, count] of [
        [4, Math.ceil(NETWORKS / 2)],
        [NETWORKS * ENDPOINTS, NETWORKS],
      ] as const) {
        const before = hub.invocations;
        const began = performance.now();
        // Every network and endpoint is made, and deleted again.
        const calls = 2 * count * (1 + ENDPOINTS);
        const networks = Array.from({ length: count }, (_, n) => n);
        const each = (of: (n: number, e: number) => Promise<void>): (() => Promise<void>)[] =>
          networks.flatMap((n) => Array.from({ length: ENDPOINTS }, (_, e) => () => of(n, e)));
        const made = new Set<string>();
        await parallel(
          width,
          networks.map((n) => () => driver.createNetwork(`n${n}`, generic({ ipv4: { subnet: `10.64.${n}.0/24` } }))),
        );
        await parallel(
          width,
          each(async (n, e) => {
            const endpoint = new EndpointConfig();
            await driver.createEndpoint(`n${n}`, `e${n}-${e}`, endpoint);
            made.add(endpoint.interfaces()[0]?.address() ?? "none");
          }),
        );
        assert.is(made.size, count * ENDPOINTS, "every endpoint has an address of its own");
        assert.is((await host.links()).length, 1 + count * (1 + 2 * ENDPOINTS), "a bridge each, and a pair each");
        await parallel(
          width,
          each((n, e) => driver.deleteEndpoint(`n${n}`, `e${n}-${e}`)),
        );
        await parallel(
          width,
          networks.map((n) => () => driver.deleteNetwork(`n${n}`)),
        );
        const runs = hub.invocations - before;
        console.log(
          `NOTE bridge, ${kind}, ${width} at a time: ${calls} calls in ${Math.round(performance.now() - began)} ms, ${runs} runs of ip`,
        );
        if (kind === "kernel" && width > 4 && NETWORKS >= 20)
          assert.ok(runs < calls / 4, `${runs} runs of ip for ${calls} calls`);
        assert.equal(host.host.plugins()[0]?.counters.errors, 0);
        // Asked while the host lives: at its end it removes whatever its driver has forgotten.
        assert.equal(await host.links(), ["lo"], "links that are left");
      }
    },
    { ms: 240_000, needs: kind === "kernel" && noKernel },
  );
}

test.run();
