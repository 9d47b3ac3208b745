/** Handles one request: parses its body, runs its method, and replies by the deadline. */

import { traceRequest } from "../common/tracing.js";
import type { z } from "../common/zod.js";
import { DriverError } from "../driverapi/errors.js";
import { copyJson, JsonError } from "../driverapi/json.js";
import { whenAborted } from "../host/abort-signals.js";
import { LIMITS } from "../protocol/limits.js";
import { DOCKER } from "./limits.js";
import type { Method, Serving } from "./methods.js";

/** A reply to the engine: HTTP status and JSON text. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** Creates the reply for an error. The engine's user reads `Err` after `remote:`. */
export function refusalAnswer(error: unknown): Answer {
  const known = error instanceof DriverError ? error : undefined;
  const message = known?.message ?? "the gateway failed; see its log";
  return { status: known?.code === "ERR_DOCKER_REQUEST" ? 400 : 200, text: JSON.stringify({ Err: message }) };
}

export interface AnswerOptions {
  /** Deadline of the reply, in milliseconds. */
  readonly answerMs: number;
  /** Aborts when the server stops waiting, at its shutdown. */
  readonly stopping: AbortSignal;
  /** Called with faults of the gateway itself. */
  failed(error: unknown): void;
}

/** Handles a request. Never rejects. */
export function answerRequest(
  method: Method,
  body: Buffer,
  serving: () => Serving,
  options: AnswerOptions,
): Promise<Answer> {
  const refused = ({ text }: Answer): string | undefined => (text.startsWith('{"Err":') ? "refused" : undefined);
  return traceRequest(method.path, () => answer(method, body, serving, options), refused);
}

async function answer(
  method: Method,
  body: Buffer,
  serving: () => Serving,
  { answerMs, stopping, failed }: AnswerOptions,
): Promise<Answer> {
  const late = new AbortController();
  const { signal } = late;
  const abort = (): void => late.abort();
  const timer = setTimeout(abort, answerMs);
  // `AbortSignal.any` costs several times that.
  const unlisten = stopping.aborted ? abort() : whenAborted(stopping, abort);
  try {
    const request = readBody(method, body);
    const reply = await method.answer(serving(), request, { signal });
    return { status: 200, text: JSON.stringify(reply) };
  } catch (error) {
    if (!(error instanceof DriverError)) failed(error);
    else if (signal.aborted && error.code === "ERR_CALL_ABORTED") {
      const { driver, method: called } = error;
      const why = stopping.aborted ? "before bulkhead was stopped" : `within ${answerMs} ms`;
      const words = `driver "${driver ?? ""}" did not answer ${called ?? method.path} ${why}; what it does later is undone`;
      return { status: 200, text: JSON.stringify({ Err: words }) };
    }
    return refusalAnswer(error);
  } finally {
    clearTimeout(timer);
    unlisten?.();
  }
}

/** Bounds of a body; the levels left over are for the objects that wrap it. */
const BODY = { depth: LIMITS.jsonDepth - 4, nodes: LIMITS.jsonNodes, chars: DOCKER.bodyBytes };

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Parses a body; an empty one counts as `{}`, as with Plugin.Activate. Throws `ERR_DOCKER_REQUEST`, naming the field. */
function readBody({ path, request }: Method, body: Buffer): unknown {
  let value: unknown;
  try {
    value = body.length === 0 ? {} : JSON.parse(UTF8.decode(body));
  } catch (error) {
    throw wrong(path, error instanceof SyntaxError ? "the body is not JSON" : "the body is not text in UTF-8");
  }
  try {
    // Bounds its depth first: the schema's parser recurses.
    value = copyJson(value, BODY);
  } catch (error) {
    if (!(error instanceof JsonError)) throw error;
    throw wrong(path, `${error.path.replace(/^\./, "") || "the body"}: ${error.rule}`);
  }
  const read = request.safeParse(value, { reportInput: false });
  if (read.success) return read.data;
  throw wrong(path, issueText(read.error));
}

function issueText(error: z.ZodError): string {
  const [issue] = error.issues;
  const where = issue?.path.map(String).join(".").slice(0, 200) || "the body";
  return `${where}: ${issue?.message ?? "not of the protocol's form"}`;
}

function wrong(path: string, why: string): DriverError {
  return new DriverError("ERR_DOCKER_REQUEST", `${path}: ${why} (a body has at most ${DOCKER.bodyBytes} bytes)`);
}
