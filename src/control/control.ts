/** A host's control socket: its server, its event log and its clients' streams. */
import type { Socket } from "node:net";
import { resolve } from "node:path";
import type { ExecutableRequest } from "../attachments/executable.js";
import { AttachmentService } from "../attachments/service.js";
import type { Logger } from "../common/logger.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { JsonObject } from "../driverapi/json.js";
import type { ControlSocket } from "../host/api.js";
import {
  ACTIONS,
  type Action,
  type OperatorChange,
  type OperatorHost,
  type ShapeChange,
} from "../host/operator-host.js";
import { LEARNING } from "../learning/limits.js";
import { clusterHosts, clusterStatus, fence } from "./cluster.js";
import type { FenceReply, FenceRequest } from "./cluster-types.js";
import { callDriver } from "./driver-call.js";
import { EventLog } from "./event-log.js";
import { EventStream } from "./event-stream.js";
import { feed } from "./feed.js";
import { CONTROL } from "./limits.js";
import { openApi } from "./openapi.js";
import type { Input, OperationName } from "./operations.js";
import { RequestError, read } from "./request-error.js";
import { executableRequest } from "./request-schemas.js";
import { type Answer, createControlServer } from "./server.js";
import { placeControl } from "./socket.js";
import type {
  CallRequest,
  LearnReply,
  LearnRequest,
  ProfileRequest,
  ShapeReply,
  ShapeRequest,
  WhyRequest,
} from "./types.js";
import * as views from "./views.js";

export interface ControlOptions {
  readonly path: string;
  readonly host: OperatorHost;
  /** Its owner becomes the socket's. */
  readonly dataDir: string | undefined;
  readonly logger: Logger;
  metrics(): Promise<string>;
}

/** Opens a control socket. Rejects with `ERR_CONTROL_SOCKET`. */
export async function openControl({ path, host, dataDir, logger, metrics }: ControlOptions): Promise<ControlSocket> {
  const log = new EventLog();
  const streams = new Set<EventStream>();
  const followed = new WeakSet<Socket>();
  const problems = new Map<string, string>();
  const attachments = await AttachmentService.open({
    ...{ host, logger, socket: resolve(path) },
    platforms: {
      async cni() {
        const { answerCni } = await import("../cni/answer.js");
        return (attachments, host) => ({ answer: (request) => answerCni(request, attachments, host) });
      },
      podman: async () => (await import("../podman/answer.js")).servePodman,
    },
    parse: (value) => read(executableRequest, value, "body"),
  });
  const control = new Control(host, problems, attachments);
  const server = createControlServer({
    perform: (name, input) => control.perform(name, input),
    openApi,
    plugins: () => views.plugins(host),
    metrics,
    follow(query, socket, start) {
      // The answers to one connection's requests come one after the other, and Node tells only the first of them that the client has gone.
      if (followed.has(socket))
        throw new RequestError("this connection follows the events already", undefined, "ERR_CONTROL_BUSY");
      if (streams.size >= CONTROL.streams)
        throw new RequestError(`${streams.size} clients follow the events already`, undefined, "ERR_CONTROL_BUSY");
      const target = start();
      target.on("error", () => {});
      const gone = (): void => stream.end();
      const stream: EventStream = new EventStream(log, target, query, () => {
        socket.off("close", gone);
        followed.delete(socket);
        setImmediate(() => streams.delete(stream));
      });
      streams.add(stream);
      if (stream.closed) return;
      followed.add(socket);
      socket.once("close", gone);
    },
    failed: (error) => logger.error({ err: error }, `the control socket failed: ${messageOf(error)}`),
  });
  const file = await placeControl(path, dataDir, (at) => server.listen({ path: at })).catch(async (error: unknown) => {
    await server.close();
    throw error;
  });
  control.caller = `by uid ${file.uid} through ${file.path}`;
  const unfeed = feed(host, log, ({ kind, reason, over }) => {
    if (over) problems.delete(kind);
    else problems.set(kind, reason);
  });
  await attachments.begin();
  let closing: Promise<void> | undefined;
  const close = async (): Promise<void> => {
    unfeed();
    await attachments.close();
    file.remove();
    for (const stream of streams) stream.end();
    const cut = setTimeout(() => server.server.closeAllConnections(), CONTROL.closeMs);
    await server.close().finally(() => clearTimeout(cut));
  };
  return {
    path: file.path,
    close() {
      closing ??= close();
      return closing;
    },
  };
}

/** A change that an operator asks for. */
interface Change extends Pick<OperatorChange, "event" | "plugin"> {
  readonly what: string;
  /** The program that forwarded the request. */
  readonly via: string | undefined;
  /** What the audit line says last. */
  readonly more: string;
}

class Control {
  /** Names the caller in the audit log. */
  caller = "";
  readonly #host: OperatorHost;
  readonly #problems: ReadonlyMap<string, string>;
  readonly #attachments: AttachmentService;
  readonly #began = performance.now();
  #calls = 0;

  constructor(host: OperatorHost, problems: ReadonlyMap<string, string>, attachments: AttachmentService) {
    this.#host = host;
    this.#attachments = attachments;
    this.#problems = problems;
  }

  async perform<N extends OperationName>(name: N, input: Input): Promise<Answer<N>> {
    const answer = await this.#answer(name, input);
    return answer as Answer<N>;
  }

  async #answer(name: OperationName, { id = "", body, via, gone }: Input): Promise<Answer<OperationName>> {
    const host = this.#host;
    if (isAction(name)) return this.#act(name, id, via);
    switch (name) {
      case "plugins":
        return { body: views.plugins(host) };
      case "plugin":
        return { body: views.pluginDetails(host.plugin(id)) };
      case "policy":
        return { body: views.policy(host) };
      case "networks":
        return { body: { networks: views.networks(host) } };
      case "endpoints":
        return { body: { endpoints: views.endpoints(host) } };
      case "shape":
        return { body: await this.#shape(id, body as ShapeRequest, via) };
      case "calls":
        return { body: { calls: views.calls(host) } };
      case "methods":
        return { body: { methods: views.methods(host) } };
      case "ports":
        return { body: { ports: await views.ports(host) } };
      case "cluster":
        return { body: await clusterStatus(host) };
      case "clusterHosts":
        return { body: { hosts: await clusterHosts(host) } };
      case "fence":
        return { body: await this.#fence(id, body as FenceRequest, via) };
      case "call":
        return { body: { result: await this.#call(body as CallRequest, via) } };
      case "learn":
        return { body: await this.#learn(id, body as LearnRequest, gone) };
      case "profile":
        return { json: await this.#profile(id, body as ProfileRequest, via, gone) };
      case "why": {
        const { why } = await import("../why/why.js");
        return { body: await why(host, body as WhyRequest) };
      }
      case "attachments":
        return { body: { attachments: views.attachments(this.#attachments.attachments.list()) } };
      case "cni":
      case "podman":
        return { body: await this.#attachments.answer(name, body as ExecutableRequest) };
      case "ready": {
        const ready = views.ready(host);
        return { status: ready.ready ? 200 : 503, body: ready };
      }
      case "health": {
        const problems = [...this.#problems.values()];
        const status = problems.length === 0 ? "ok" : "degraded";
        const uptimeMs = Math.round(performance.now() - this.#began);
        return { status: status === "ok" ? 200 : 503, body: { status, pid: process.pid, uptimeMs, problems } };
      }
    }
  }

  async #act(action: Action, id: string, via: string | undefined): Promise<Answer<Action>> {
    // A plugin that is not known has no line in the audit log: any text may be asked for. A grant may concern one that was just added.
    if (action === "apply") await this.#host.present(id);
    else this.#host.plugin(id);
    const change = { event: "operator", plugin: id, what: action, via, more: "" } as const;
    await this.#audited(change, () => this.#host.act(action, id));
    return { body: views.pluginDetails(this.#host.plugin(id)) };
  }

  async #shape(id: string, { reset, ...fields }: ShapeRequest, via: string | undefined): Promise<ShapeReply> {
    const { plugin, link } = this.#host.endpointLink(id);
    const change = Object.fromEntries(
      Object.entries(fields).filter(([, amount]) => amount !== undefined),
    ) as ShapeChange;
    const amounts = Object.entries(change).map(([field, amount]) => `${field} ${amount ?? "none"}`);
    const more = `; ${reset ? "reset" : amounts.join(", ")}`;
    const line = { event: "operator", plugin, what: `shape ${id}`, via, more } as const;
    const shape = await this.#audited(line, () => this.#host.shape(link, reset ? undefined : change));
    return { endpoint: id, plugin, link, shape: { ...shape } };
  }

  #fence(name: string, request: FenceRequest, via: string | undefined): Promise<FenceReply> {
    return fence(this.#host, name, request, (plugin, what, more, work) =>
      this.#audited({ event: "operator", plugin, what, via, more }, work),
    );
  }

  async #profile(
    id: string,
    request: ProfileRequest,
    via: string | undefined,
    gone: AbortSignal | undefined,
  ): Promise<string> {
    const { takeProfile } = await import("../profile/take-profile.js");
    this.#host.plugin(id);
    const change = { event: "operator", plugin: id, what: `profile ${request.kind}`, via, more: "" } as const;
    return this.#audited(change, () => takeProfile(this.#host, id, request, gone));
  }

  async #learn(
    id: string,
    { seconds = LEARNING.seconds }: LearnRequest,
    gone: AbortSignal | undefined,
  ): Promise<LearnReply> {
    const { propose } = await import("../learning/propose.js");
    const { usage, question } = await this.#host.learn(id, seconds * 1000, gone);
    const { grant, ...rest } = propose(usage, question);
    return { plugin: id, seconds, grant: grant as unknown as JsonObject, ...rest };
  }

  async #call(request: CallRequest, via: string | undefined): Promise<unknown> {
    const { driver, plugin } = this.#host.driver(request.type);
    if (this.#calls >= CONTROL.calls)
      throw new RequestError(`${this.#calls} calls are under way already`, undefined, "ERR_CONTROL_BUSY");
    this.#calls++;
    try {
      const { type, method, args = [] } = request;
      const given = JSON.stringify(args).slice(1, -1);
      const more = given === "" ? "" : `; arguments: ${given}`;
      const change = { event: "operator-call", plugin, what: `call ${type}.${method}`, via, more } as const;
      return await this.#audited(change, async () => {
        const result = await callDriver(driver, request);
        const [nid, eid] = args;
        if (method === "createEndpoint") await this.#host.madeByHand(type, String(nid), String(eid));
        return result;
      });
    } finally {
      this.#calls--;
    }
  }

  /**
   * Carries out a change between two audit lines: the first names the change and its caller, so that a host that ends meanwhile leaves a
   * trace; the second says how it ended. Long arguments are cut at a line's end.
   */
  async #audited<T>({ event, plugin, what, via, more }: Change, work: () => Promise<T>): Promise<T> {
    const asked = `${what} ${this.caller}${via === undefined ? "" : `, from ${via}`}`;
    const line = (code: string | undefined, words: string): OperatorChange => ({
      ...{ event, plugin, code },
      detail: `${asked}: ${words}${more}`,
    });
    if (!(await this.#host.auditBegin(line(undefined, "begun"))))
      throw new RequestError("too many changes within a minute for the audit log", undefined, "ERR_CONTROL_BUSY");
    try {
      const result = await work();
      this.#host.auditEnd(line(undefined, "done"));
      return result;
    } catch (error) {
      const code = error instanceof DriverError ? error.code : undefined;
      this.#host.auditEnd(line(code, `failed: ${messageOf(error)}`));
      throw error;
    }
  }
}

function isAction(name: OperationName): name is Action {
  return (ACTIONS as readonly string[]).includes(name);
}
