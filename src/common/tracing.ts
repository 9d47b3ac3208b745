/**
 * OpenTelemetry spans: an engine's request, its call, the worker's part of that, and the kernel's. They are created if the platform has
 * registered a provider before it creates the host; otherwise each function here costs a comparison.
 */
import type { Span as ApiSpan, Attributes, Context, Link, Tracer } from "@opentelemetry/api";
import { messageOf } from "./text.js";

type Api = typeof import("@opentelemetry/api");

let loaded: { readonly api: Api; readonly tracer: Tracer } | undefined;

/** Steps in progress in workers, by plugin, because a kernel batch does not name its call. */
const working = new Map<string, Set<Step>>();

/** A part of a call that is under way. */
export interface Step {
  readonly span: ApiSpan;
  readonly context: Context;
}

/**
 * Starts tracing if the platform has `@opentelemetry/api` and has registered a provider with it. Never rejects; resolves with why a
 * package that is there cannot be used.
 */
export async function loadTracing(): Promise<string | undefined> {
  if (loaded) return undefined;
  try {
    const api = await import("@opentelemetry/api");
    const provider = api.trace.getTracerProvider();
    const registered = !(provider instanceof api.ProxyTracerProvider) || provider.getDelegateTracer("bulkhead");
    if (registered) loaded = { api, tracer: api.trace.getTracer("bulkhead") };
    return undefined;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ERR_MODULE_NOT_FOUND" ? undefined : messageOf(error);
  }
}

/** Begins a step within `parent`, or within what the platform is doing. */
function begin(name: string, kind: keyof Api["SpanKind"], attributes: Attributes, parent?: Step): Step | undefined {
  if (!loaded) return undefined;
  const { api, tracer } = loaded;
  const from = parent?.context ?? api.context.active();
  const span = tracer.startSpan(name, { kind: api.SpanKind[kind], attributes }, from);
  return { span, context: api.trace.setSpan(from, span) };
}

/** Ends a step; `code`: of the error that it ended with. */
export function endStep(step: Step | undefined, code?: string): void {
  if (!step || !loaded) return;
  if (code !== undefined)
    step.span.setStatus({ code: loaded.api.SpanStatusCode.ERROR, message: code }).setAttribute("error.type", code);
  step.span.end();
}

/** A call, as its span names it. */
export interface TracedCall {
  readonly plugin: string;
  readonly type: string;
  readonly method: string;
  readonly nid: string | undefined;
  readonly eid: string | undefined;
}

/** Begins the span of a call from the platform or an engine. */
export function beginCall({ plugin, type, method, nid, eid }: TracedCall): Step | undefined {
  if (!loaded) return undefined;
  const ids = {
    ...(nid === undefined ? {} : { "bulkhead.network": nid }),
    ...(eid === undefined ? {} : { "bulkhead.endpoint": eid }),
  };
  return begin(`bulkhead ${method}`, "INTERNAL", { "bulkhead.plugin": plugin, "bulkhead.driver": type, ...ids });
}

/** Begins the span of a call's stay in the worker. */
export function beginWork(call: Step | undefined, plugin: string, method: string): Step | undefined {
  if (!call) return undefined;
  const step = begin(`worker ${method}`, "CLIENT", { "bulkhead.plugin": plugin }, call);
  if (!step) return undefined;
  const steps = working.get(plugin) ?? new Set();
  working.set(plugin, steps.add(step));
  return step;
}

/** Ends that span. */
export function endWork(step: Step | undefined, plugin: string, code?: string): void {
  if (!step) return;
  endStep(step, code);
  const steps = working.get(plugin);
  steps?.delete(step);
  if (steps?.size === 0) working.delete(plugin);
}

/** Carries out an engine's request in a span of its own; `failed` returns the code of a refusal. */
export async function traceRequest<T>(
  path: string,
  work: () => Promise<T>,
  failed: (answer: T) => string | undefined,
): Promise<T> {
  const step = begin(`docker ${path}`, "SERVER", { "url.path": path });
  if (!step || !loaded) return work();
  const answer = await loaded.api.context.with(step.context, work);
  endStep(step, failed(answer));
  return answer;
}

/**
 * Carries out a batch of kernel requests in a span. Its parent is the plugin's call in progress; if there are several, it is linked to
 * each.
 */
export async function traceBatch(power: string, plugins: readonly string[], work: () => Promise<void>): Promise<void> {
  if (!loaded) return work();
  const { api, tracer } = loaded;
  const from = [...new Set(plugins)].flatMap((plugin) => [...(working.get(plugin) ?? [])]);
  const [only] = from.length === 1 ? from : [];
  const links = only ? [] : from.map(({ span }): Link => ({ context: span.spanContext() }));
  const attributes = { "bulkhead.requests": plugins.length };
  const span = tracer.startSpan(`kernel ${power}`, { attributes, links }, only?.context ?? api.ROOT_CONTEXT);
  try {
    await work();
  } catch (error) {
    span.setStatus({ code: api.SpanStatusCode.ERROR, message: messageOf(error) });
    throw error;
  } finally {
    span.end();
  }
}
