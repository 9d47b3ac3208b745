/** `bulkhead dev PATH`: runs one plugin, and loads it again in place whenever its files change. */
import { lstat, mkdir, mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, dirname, isAbsolute, join, relative, resolve } from "node:path";
import { quote } from "../../common/quote.js";
import { messageOf, shortList } from "../../common/text.js";
import { DockerGateway } from "../../docker/gateway.js";
import { typeView } from "../../docker/served-type.js";
import { DriverError } from "../../driverapi/errors.js";
import { type Discovered, discoverPlugins } from "../../host/discovery.js";
import { createPluginHost, type PluginHost } from "../../host/plugin-host.js";
import type { Isolation } from "../../isolation/link.js";
import { grantAll } from "../../policy/grant-all.js";
import type { Policy } from "../../policy/schema.js";
import { atHome, copyPlugin, refreshCopy } from "../copy-plugin.js";
import { permissionsText, type Report } from "../output.js";
import type { Daemon } from "../serve/serve.js";
import { inspectedHost, openInspector, PATIENT } from "./inspect.js";
import { DevPrinter } from "./printer.js";
import { watchSource } from "./source-watch.js";

/** What `dev` takes. */
export interface DevSettings {
  /** An operator's policy; undefined: all that the manifest asks for is granted. */
  readonly policy: string | undefined;
  /** Undefined: state is kept in memory, and links are removed at the end. */
  readonly dataDir: string | undefined;
  /** Where the drivers' sockets are; undefined: in a temporary folder. */
  readonly dockerDir: string | undefined;
  readonly netns: string | undefined;
  readonly backend: "kernel" | "model" | "auto";
  readonly isolation: Isolation | undefined;
  /** Port of 127.0.0.1 on which a debugger can attach; undefined: none can. */
  readonly inspectPort?: number | undefined;
}

/** Under npx a Ctrl-C comes twice at once, from the terminal and from npx; only a later one means "now". In milliseconds. */
const AGAIN_MS = 500;

/** Runs until a signal. Throws `ERR_PLUGIN_FILE` for a path without a plugin, and the errors of a host's start. */
export async function dev(
  path: string,
  settings: DevSettings,
  daemon: Pick<Daemon, "onSignal" | "exit" | "out">,
  json: boolean,
): Promise<Report> {
  const source = resolve(path);
  const stopped = new AbortController();
  let first = 0;
  const stop = (): void => {
    if (!stopped.signal.aborted) first = performance.now();
    else if (performance.now() - first > AGAIN_MS) daemon.exit(1);
    stopped.abort();
  };
  const undo = (["SIGINT", "SIGTERM", "SIGHUP"] as const).map((name) => daemon.onSignal(name, stop));
  // The real path, so that it can be replaced in errors.
  const place = await realpath(await mkdtemp(join(tmpdir(), "bulkhead-dev-")));
  try {
    const printer = new DevPrinter(json, daemon.out);
    const session = await DevSession.open(source, place, settings, printer);
    try {
      if (!stopped.signal.aborted)
        await new Promise<void>((done) => stopped.signal.addEventListener("abort", () => done()));
    } finally {
      await session.close();
    }
    return { data: { stopped: true }, text: "" };
  } finally {
    await rm(place, { recursive: true, force: true });
    for (const one of undo) one();
  }
}

class DevSession {
  readonly #source: string;
  readonly #isFolder: boolean;
  readonly #plugins: string;
  readonly #policy: string | undefined;
  readonly #inspects: boolean;
  readonly #printer: DevPrinter;
  #host: PluginHost | undefined;
  #gateway: DockerGateway | undefined;
  /** Types whose sockets have been shown. */
  readonly #called = new Set<string>();
  #closers: (() => Promise<void>)[] = [];
  /** Serialises loads. */
  #queue: Promise<void> = Promise.resolve();
  /** The last grant that was printed. */
  #granted = "";

  private constructor(source: string, isFolder: boolean, place: string, settings: DevSettings, printer: DevPrinter) {
    this.#source = source;
    this.#isFolder = isFolder;
    this.#plugins = join(place, "plugins");
    this.#policy = settings.policy === undefined ? join(place, "bulkhead.config.json") : undefined;
    this.#inspects = settings.inspectPort !== undefined;
    this.#printer = printer;
  }

  static async open(source: string, place: string, settings: DevSettings, printer: DevPrinter): Promise<DevSession> {
    const isFolder = await lstat(source).then(
      (found) => found.isDirectory(),
      () => false,
    );
    const session = new DevSession(source, isFolder, place, settings, printer);
    try {
      await session.#start(settings, place);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    }
  }

  async #start(settings: DevSettings, place: string): Promise<void> {
    const { policy, dataDir, dockerDir, netns, backend, isolation, inspectPort } = settings;
    const printer = this.#printer;
    if (inspectPort !== undefined) this.#closers.unshift(openInspector(inspectPort, printer));
    await mkdir(this.#plugins);
    await copyPlugin(this.#source, this.#plugins);
    const found = await this.#discover();
    await this.#grant(found);
    printer.hold();
    const given = {
      plugins: this.#plugins,
      policy: policy ?? this.#policy ?? {},
      backend,
      logger: printer,
      ...(dataDir === undefined ? {} : { dataDir }),
      ...(netns === undefined ? {} : { netns }),
      ...(isolation === undefined ? {} : { isolation }),
    };
    const host = await (this.#inspects ? inspectedHost(given, this.#authors("")) : createPluginHost(given));
    this.#host = host;
    this.#closers.unshift(() => host.close());
    const info = host.plugins().find(({ name }) => name === found.id);
    this.#told(found, info?.refusal, `loaded${this.#behind()}`);
    const directory = dockerDir ?? join(place, "sockets");
    const answerMs = this.#inspects ? PATIENT.default : undefined;
    const gateway = await DockerGateway.open({ host, logger: printer, directory, answerMs });
    this.#closers.unshift(() => gateway.close());
    this.#gateway = gateway;
    await this.#showSockets();
    const watch = await watchSource(this.#source, this.#isFolder, (packages, since) => this.#changed(packages, since));
    this.#closers.unshift(() => watch.close());
    printer.print({ event: "note", text: `follows ${this.#shown(this.#source)}; Ctrl-C ends`, data: { ready: true } });
  }

  async close(): Promise<void> {
    const [watch, ...rest] = this.#closers;
    this.#closers = [];
    await watch?.();
    await this.#queue;
    for (const close of rest) await close();
  }

  #changed(packages: boolean, since: number): void {
    this.#queue = this.#queue.then(() => this.#reload(packages, since)).catch((error: unknown) => this.#refused(error));
  }

  /** Loads the plugin again. The version that runs serves until the new one has its networks. */
  async #reload(packages: boolean, since: number): Promise<void> {
    const host = this.#host;
    if (host === undefined) return;
    if (packages) {
      await rm(this.#plugins, { recursive: true });
      await mkdir(this.#plugins);
      await copyPlugin(this.#source, this.#plugins);
    } else await refreshCopy(this.#source, this.#plugins);
    const found = await this.#discover();
    await this.#grant(found);
    this.#printer.hold();
    let refusal: unknown;
    try {
      await host.reload(found.id);
    } catch (error) {
      refusal = error;
    }
    const ms = Math.round(performance.now() - since);
    this.#told(found, refusal, `loaded again in ${ms} ms, ${this.#networks(found.id)}`, { ms });
    await this.#showSockets();
  }

  /** Prints the outcome of a load. */
  #told(found: Discovered, refusal: unknown, words: string, more: Readonly<Record<string, unknown>> = {}): void {
    this.#printer.release(refusal === undefined ? undefined : messageOf(refusal));
    if (refusal !== undefined) {
      this.#refused(refusal);
      return;
    }
    const info = this.#host?.plugins().find(({ name }) => name === found.id);
    const { drivers = [], sha256 } = info ?? {};
    const version = found.version === undefined ? "" : ` ${found.version}`;
    const text = `${found.id}${version} is ${words}; types ${drivers.join(", ")}`;
    const data = { plugin: found.id, version: found.version ?? null, types: drivers, sha256, ...more };
    this.#printer.print({ event: "load", text, data });
  }

  /** Prints how to call each type that is served for the first time. */
  async #showSockets(): Promise<void> {
    await this.#gateway?.settled();
    for (const [type, socket] of this.#gateway?.sockets ?? []) {
      if (this.#called.has(type)) continue;
      this.#called.add(type);
      const call = `curl --unix-socket ${socket} --data '{"NetworkID":"net1"}' http://localhost/NetworkDriver.CreateNetwork`;
      this.#printer.print({ event: "note", text: `to call it: ${call}`, data: { type, socket } });
    }
  }

  /** Prints why the files do not load, at the author's file and line. */
  #refused(error: unknown): void {
    const known = error instanceof DriverError ? atHome(error, this.#plugins, this.#source) : undefined;
    const { code, file, line } = known ?? {};
    const path = file === undefined ? undefined : this.#authors(file);
    const at = path === undefined ? "" : `${this.#shown(path)}${line === undefined ? "" : `:${line}`}: `;
    const serves = this.#host?.plugins().some(({ state }) => state === "running") === true;
    const rest = serves && !/keeps running$/.test(known?.message ?? "") ? "; the version before keeps running" : "";
    const text = `${at}${code === undefined ? "" : `${code}: `}${known?.message ?? messageOf(error)}${rest}`;
    this.#printer.print({ event: "refused", text, data: { code, file: path, line, serves } });
  }

  /** Grants all that the manifest asks for, and prints it when it changes. */
  async #grant(found: Discovered): Promise<void> {
    if (this.#policy === undefined || found.error) return;
    const granted = grantAll(found.id, found.manifest);
    const entry = this.#inspects ? { ...granted, timeouts: PATIENT } : granted;
    const { networkTypes } = found.manifest ?? {};
    const policy: Policy = {
      sandbox: "auto",
      plugins: { [found.id]: { ...entry, ...(networkTypes === undefined ? {} : { networkTypes }) } },
    };
    await writeFile(this.#policy, JSON.stringify(policy));
    const { scope, ...permissions } = entry.grant;
    const text = `granted, as the manifest asks: scope ${scope}; ${permissionsText(permissions)}`;
    if (text !== this.#granted) this.#printer.print({ event: "note", text, data: { grant: entry.grant } });
    this.#granted = text;
  }

  async #discover(): Promise<Discovered> {
    const [found] = await discoverPlugins([this.#plugins]);
    if (found) return found;
    const rule = `${this.#source}: this is not a plugin: name a .js, .mjs or .ts file, or a folder with a plugin.json`;
    throw new DriverError("ERR_PLUGIN_FILE", rule, { file: this.#source });
  }

  #networks(id: string): string {
    const host = this.#host;
    const types = host?.plugins().find(({ name }) => name === id)?.drivers ?? [];
    const ids = types
      .flatMap((type) => (host ? [...typeView(host, type).networks()] : []))
      .map(({ nid }) => quote(nid));
    return ids.length === 0 ? "no networks" : `networks repeated: ${shortList(ids)}`;
  }

  #behind(): string {
    const { wall } = this.#printer;
    return wall === undefined ? ", in a thread" : wall === "none" ? ", without a wall" : `, behind ${wall}`;
  }

  /** Returns the path of a file that an error names: the author's own. */
  #authors(file: string): string {
    if (isAbsolute(file)) return file;
    return join(this.#isFolder ? this.#source : dirname(this.#source), file);
  }

  #shown(path: string): string {
    const way = relative(".", path);
    return way === "" ? basename(path) : way.startsWith("..") ? path : way;
  }
}
