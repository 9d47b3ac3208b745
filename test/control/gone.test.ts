/** A client that goes while the host works for it: the host stops, and the next client need not wait. */
import { type ClientRequest, request } from "node:http";
import { Worker } from "node:worker_threads";
import type { ControlClient } from "#dist/control/client.js";
import type { DriverError } from "#dist/index.js";
import { assert, rejection, suite, type TestContext } from "../harness.js";
import { plugin } from "../kit/plugins.js";
import { controlled } from "./controlled.js";

const test = suite("control: a client that goes");

/** True where Node can profile a worker: from 24.9 on. */
const CAN = "startHeapProfile" in Worker.prototype;

/** Begins a request, and leaves its reply to come. */
function begun(t: TestContext, socket: string, path: string, body: object): ClientRequest {
  const sent = request({ socketPath: socket, method: "POST", path, agent: false });
  sent.on("error", () => {});
  sent.end(JSON.stringify(body));
  t.cleanup(() => sent.destroy());
  return sent;
}

/** Asks until it is answered as `wanted` says. */
async function until(ask: () => Promise<unknown>, wanted: (error: DriverError | undefined) => boolean): Promise<void> {
  for (;;) {
    const error = await ask().then(
      () => undefined,
      (reason: DriverError) => reason,
    );
    if (wanted(error)) return;
  }
}

const learn = (client: ControlClient) => client.ask("learn", { id: "hot", body: { seconds: 0 } });

test("learn: the plugin is no longer watched", async (t) => {
  const { socket, client } = await controlled(t, { "hot.js": plugin("hot") });
  const sent = begun(t, socket, "/v1/plugins/hot/learn", { seconds: 3600 });
  await until(
    () => learn(client),
    (error) => error?.code === "ERR_CONTROL_BUSY",
  );
  sent.destroy();
  await until(
    () => learn(client),
    (error) => error === undefined,
  );
});

for (const isolation of ["thread", "process", "dedicated"] as const)
  for (const kind of ["cpu", "heap"] as const)
    test(`profile of kind ${kind}, isolation ${isolation}: it ends at once, and the plugin serves`, async (t) => {
      const { socket, client, host } = await controlled(t, { "hot.js": plugin("hot") }, { isolation });
      const profile = () => client.ask("profile", { id: "hot", body: { kind, seconds: 0.1 } });
      if (!CAN) {
        assert.is((await rejection(profile())).code, "ERR_PROFILE_UNAVAILABLE");
        return;
      }
      const sent = begun(t, socket, "/v1/plugins/hot/profile", { kind, seconds: 60 });
      await until(profile, (error) => error !== undefined && /another profile/.test(error.message));
      sent.destroy();
      await until(profile, (error) => error === undefined);
      await host.driver("hot").createNetwork("n");
    });

test.run();
