/** The demo's steps, one function each. */
import { EndpointConfig, JoinConfig } from "bulkhead";
import { next } from "./stage.mjs";

/** Describes the wall around the drivers' processes. */
const WALLS = {
  bubblewrap: "behind bubblewrap",
  node: "behind Node's permission flags alone, as bubblewrap cannot be raised here",
};

export async function load(stage) {
  const host = await stage.start();
  const plugins = host.plugins();
  const bad = plugins.find((one) => one.state !== "running");
  if (bad) throw bad.refusal ?? new Error(`${bad.name} is ${bad.state}`);
  const named = (isolation) => plugins.filter((one) => one.isolation === isolation).map((one) => one.name);
  const [{ wall }] = plugins;
  const alone = `${named("dedicated").join(", ")} in a process of its own`;
  return `${alone}, ${named("process").join(" and ")} in a shared one; ${WALLS[wall]}`;
}

export async function drop(stage) {
  const loaded = next(stage.host, "plugin:loaded", "hello");
  stage.dropIn("hello/hello.js");
  await loaded;
  return "hello.js was dropped into plugins/ and serves";
}

export async function lifecycle({ host }) {
  const types = host.plugins().flatMap((one) => one.drivers);
  let calls = 0;
  for (const type of types) {
    const driver = host.driver(type);
    const endpoint = new EndpointConfig();
    const join = new JoinConfig();
    if (driver.type() !== type) throw new Error(`type() of ${type} gives ${driver.type()}`);
    await driver.config({});
    await driver.createNetwork("demo-net");
    await driver.createEndpoint("demo-net", "demo-endpoint", endpoint);
    await driver.join("demo-net", "demo-endpoint", "demo-sandbox", join);
    await driver.endpointOperInfo("demo-net", "demo-endpoint");
    await driver.leave("demo-net", "demo-endpoint");
    await driver.deleteEndpoint("demo-net", "demo-endpoint");
    // The one network of types "null" and "host" cannot be deleted, as in libnetwork.
    await driver.deleteNetwork("demo-net").catch((error) => {
      if (error.kind !== "Forbidden" || !["null", "host"].includes(type)) throw error;
    });
    calls += 9;
  }
  return `${calls} calls: the nine methods of ${types.join(", ")}`;
}

/** Calls other drivers while one loops forever. */
export async function hang(stage) {
  const { host } = stage;
  const loaded = next(host, "plugin:loaded", "hang");
  stage.dropIn("demo/hang.js");
  await loaded;
  const hello = host.driver("hello");
  await hello.createNetwork("beside");
  await hello.createEndpoint("beside", "e", new EndpointConfig());
  await host.driver("hang").createNetwork("kept");
  let answered = 0;
  let slowest = 0;
  let hanging = true;
  const neighbours = (async () => {
    while (hanging) {
      const asked = performance.now();
      await hello.endpointOperInfo("beside", "e");
      slowest = Math.max(slowest, performance.now() - asked);
      answered++;
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
  })();
  const started = performance.now();
  const back = next(host, "plugin:restarted", "hang");
  const error = await host
    .driver("hang")
    .createNetwork("stuck", { spin: true })
    .then(
      () => undefined,
      (refused) => refused,
    );
  const ms = Math.round(performance.now() - started);
  hanging = false;
  await neighbours;
  await back;
  if (error?.code !== "ERR_DRIVER_TIMEOUT") throw error ?? new Error("a driver that spins was answered");
  return {
    detail: `for(;;) in createNetwork: ${error.code} after ${ms} ms, deadline 1000 ms`,
    async neighbours() {
      await hello.deleteEndpoint("beside", "e");
      await hello.deleteNetwork("beside");
      if (answered < 20) throw new Error(`only ${answered} calls were answered beside the hang`);
      return `${answered} calls to hello answered meanwhile, the slowest in ${slowest.toFixed(1)} ms`;
    },
  };
}

/** A worker dies of a stray throw; its networks are back in the next one. */
export async function recover({ host }) {
  const driver = host.driver("hang");
  await driver.createEndpoint("kept", "e", new EndpointConfig());
  const ended = next(host, "plugin:restarting", "hang");
  const back = next(host, "plugin:restarted", "hang");
  await driver.createNetwork("fatal", { crash: true });
  const { reason } = await ended;
  const died = performance.now();
  await back;
  const ms = (performance.now() - died).toFixed(0);
  const { known } = await driver.endpointOperInfo("kept", "e");
  if (!known) throw new Error("the new worker does not know the network");
  await driver.deleteEndpoint("kept", "e");
  for (const nid of ["kept", "fatal"]) await driver.deleteNetwork(nid);
  return `${reason}; back with its networks after ${ms} ms`;
}
