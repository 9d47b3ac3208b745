/** Calls the hostile plugins: one attack after the other, as fast as the breaker restarts them. */
import { EndpointConfig } from "#dist/driverapi/endpoint-config.js";
import type { PluginHost } from "#dist/host/plugin-host.js";
import { NAMES } from "./attacks.js";

const NETWORK = "lair";

/** Network and endpoints of a hostile driver: an endpoint per attack. Nothing attacks yet. */
export async function prepareAttacks(host: PluginHost, plugin: string): Promise<void> {
  const driver = host.driver(plugin);
  await driver.createNetwork(NETWORK);
  for (const name of NAMES) await driver.createEndpoint(NETWORK, name, new EndpointConfig());
}

/** Attacks until `over` fires, beginning with the attack number `first`; counts into `done` the attacks that reached the plugin. */
export async function attackOn(
  host: PluginHost,
  plugin: string,
  first: number,
  over: AbortSignal,
  done: Map<string, number>,
): Promise<void> {
  for (let n = first; !over.aborted; n++) {
    const attack = NAMES[n % NAMES.length] as string;
    const code = await once(host, plugin, attack, n);
    if (code === "ERR_PLUGIN_UNAVAILABLE") await back(host, plugin, over);
    else if (code !== "ERR_DRIVER_BUSY") done.set(attack, (done.get(attack) ?? 0) + 1);
  }
}

/** Loads a plugin that attacks while it is loaded, until `over` fires. */
export async function loadAgain(host: PluginHost, plugin: string, over: AbortSignal): Promise<number> {
  let loads = 0;
  for (; !over.aborted; loads++) await host.reload(plugin).catch(() => {});
  return loads;
}

/** One attack, by a read or by a create in turns; gives the code it was answered with. */
async function once(host: PluginHost, plugin: string, attack: string, n: number): Promise<string | undefined> {
  try {
    const driver = host.driver(plugin);
    if (Math.floor(n / NAMES.length) % 2 === 0) await driver.endpointOperInfo(NETWORK, attack);
    else {
      const nid = `${attack}-${n}`;
      await driver.createNetwork(nid);
      await driver.deleteNetwork(nid);
    }
    return undefined;
  } catch (error) {
    return (error as { readonly code?: string }).code;
  }
}

/** Resolves when the plugin serves again, or it is over. */
function back(host: PluginHost, plugin: string, over: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const settle = (): void => {
      host.off("plugin:restarted", look);
      over.removeEventListener("abort", settle);
      resolve();
    };
    const look = (event: { readonly plugin: string }): void => {
      if (event.plugin === plugin) settle();
    };
    host.on("plugin:restarted", look);
    over.addEventListener("abort", settle, { once: true });
    if (over.aborted || host.plugins().find(({ name }) => name === plugin)?.state === "running") settle();
  });
}
