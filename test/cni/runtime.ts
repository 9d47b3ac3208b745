/** A CNI runtime as the specification has it: plugins of a list in order, each with the result before; backwards for DEL. */

export interface Ran {
  readonly code: number;
  readonly out: string;
}

/** Runs an executable with these variables and this standard input. */
export type Run = (type: string, env: Readonly<Record<string, string>>, input: string) => Promise<Ran>;

// biome-ignore lint/suspicious/noExplicitAny: a test looks into whatever comes.
export type Any = any;

export interface Container {
  readonly id: string;
  readonly netns: string;
  readonly ifname?: string;
  /** `CNI_ARGS`. */
  readonly args?: string;
  /** By capability: what the runtime passes to plugins that declare it. */
  readonly runtimeConfig?: Readonly<Record<string, unknown>>;
}

export interface List {
  readonly cniVersion: string;
  readonly name: string;
  readonly plugins: readonly Readonly<Record<string, unknown>>[];
}

/** An error of a plugin: its code is in front. */
class CniRefused extends Error {
  readonly body: Any;

  constructor(body: Any) {
    super(`${body.code}: ${body.msg}`);
    this.body = body;
  }
}

export class Runtime {
  readonly #run: Run;
  /** The last result of each container, as libcni caches it. */
  readonly #cached = new Map<string, Any>();

  constructor(run: Run) {
    this.#run = run;
  }

  async add(list: List, container: Container): Promise<Any> {
    let prevResult: Any;
    for (const plugin of list.plugins) prevResult = await this.#ask("ADD", list, plugin, container, { prevResult });
    this.#cached.set(keyOf(list, container), prevResult);
    return prevResult;
  }

  async del(list: List, container: Container, { cached = true } = {}): Promise<void> {
    const prevResult = cached ? this.#cached.get(keyOf(list, container)) : undefined;
    for (const plugin of [...list.plugins].reverse()) await this.#ask("DEL", list, plugin, container, { prevResult });
    this.#cached.delete(keyOf(list, container));
  }

  async check(list: List, container: Container): Promise<void> {
    const prevResult = this.#cached.get(keyOf(list, container));
    for (const plugin of list.plugins) await this.#ask("CHECK", list, plugin, container, { prevResult });
  }

  async gc(list: List, valid: readonly Container[]): Promise<void> {
    const attachments = valid.map(({ id, ifname = "eth0" }) => ({ containerID: id, ifname }));
    for (const plugin of list.plugins)
      await this.#ask("GC", list, plugin, undefined, { "cni.dev/valid-attachments": attachments });
  }

  async status(list: List): Promise<void> {
    for (const plugin of list.plugins) await this.#ask("STATUS", list, plugin, undefined, {});
  }

  async #ask(
    command: string,
    { cniVersion, name }: List,
    { capabilities, ...plugin }: Readonly<Record<string, unknown>>,
    container: Container | undefined,
    more: Readonly<Record<string, unknown>>,
  ): Promise<Any> {
    const declared = Object.keys((capabilities ?? {}) as object);
    const given = Object.entries(container?.runtimeConfig ?? {}).filter(([key]) => declared.includes(key));
    const runtimeConfig = given.length === 0 ? {} : { runtimeConfig: Object.fromEntries(given) };
    const config = { cniVersion, name, ...plugin, ...runtimeConfig, ...more };
    const of = container
      ? { CNI_CONTAINERID: container.id, CNI_NETNS: container.netns, CNI_IFNAME: container.ifname ?? "eth0" }
      : {};
    const env = { CNI_COMMAND: command, CNI_ARGS: container?.args ?? "", ...of };
    const { code, out } = await this.#run(String(plugin.type), env, JSON.stringify(config));
    const body = out.trim() === "" ? undefined : JSON.parse(out);
    if (code !== 0) throw new CniRefused(body ?? { code: `exit ${code}`, msg: "" });
    return body;
  }
}

function keyOf({ name }: List, { id, ifname = "eth0" }: Container): string {
  return JSON.stringify([name, id, ifname]);
}
