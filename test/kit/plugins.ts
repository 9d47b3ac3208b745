/** The text of plugins: one driver that does nothing but what a test says. */

/** What a plugin in one file is made of; every part is the author's text. */
export interface PluginParts {
  /** Ahead of `init`. */
  readonly top?: string;
  /** At the start of `init`. */
  readonly start?: string;
  /** Members of the driver that take the place of the nine idle ones. */
  readonly methods?: string;
  /** The capability. */
  readonly capability?: string;
  /** At the end of `init`. */
  readonly end?: string;
}

/** The text of a plugin with one driver. */
export function plugin(type: string, parts: PluginParts = {}): string {
  const { top = "", start = "", end = "", capability = '{ scope: "local" }' } = parts;
  return `${top}
export async function init(callback, powers) {
  ${start}
  await callback.registerDriver(${JSON.stringify(type)}, ${driver(type, parts.methods)}, ${capability});
  ${end}
}
`;
}

/** The text of a driver that does nothing, but for `methods`. */
export function driver(type: string, methods = ""): string {
  return `{
    type: () => ${JSON.stringify(type)}, config() {}, createNetwork() {}, deleteNetwork() {}, createEndpoint() {},
    deleteEndpoint() {}, endpointOperInfo: () => ({}), join() {}, leave() {},
    ${methods}
  }`;
}

/** A plugin that tells, through `endpointOperInfo`, what `expression` is inside it. */
export function telling(type: string, expression: string): string {
  return plugin(type, { methods: `endpointOperInfo: async () => ({ told: ${expression} }),` });
}
