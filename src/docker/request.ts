/** Handles one request: parses its body, runs its method, and replies by the deadline. */

import { traceRequest } from "../common/tracing.js";
import { DriverError } from "../driverapi/errors.js";
import { boundJson, type Json, JsonError } from "../driverapi/json.js";
import { LIMITS } from "../protocol/limits.js";
import { FieldError } from "./fields.js";
import { DOCKER } from "./limits.js";
import type { Method, Serving } from "./methods.js";
import type { RequestSignals } from "./request-signals.js";

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
  /** Those of the server's requests. */
  readonly signals: RequestSignals;
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
  { answerMs, signals, failed }: AnswerOptions,
): Promise<Answer> {
  const late = signals.begin();
  const { signal } = late;
  const timer = setTimeout(() => late.abort(), answerMs);
  try {
    const request = readBody(method, body);
    const reply = await method.answer(serving(), request, { signal });
    return { status: 200, text: JSON.stringify(reply) };
  } catch (error) {
    if (!(error instanceof DriverError)) failed(error);
    else if (signal.aborted && error.code === "ERR_CALL_ABORTED") {
      const { driver, method: called } = error;
      const why = signals.stopped ? "before bulkhead was stopped" : `within ${answerMs} ms`;
      const words = `driver "${driver ?? ""}" did not answer ${called ?? method.path} ${why}; what it does later is undone`;
      return { status: 200, text: JSON.stringify({ Err: words }) };
    }
    return refusalAnswer(error);
  } finally {
    clearTimeout(timer);
    signals.end(late);
  }
}

/** Bounds of a body; the levels left over are for the objects that wrap it. */
const BODY = { depth: LIMITS.jsonDepth - 4, nodes: LIMITS.jsonNodes, chars: DOCKER.bodyBytes };

const UTF8 = new TextDecoder("utf-8", { fatal: true });

/** Parses a body; an empty one counts as `{}`, as with Plugin.Activate. Throws `ERR_DOCKER_REQUEST`, naming the field. */
function readBody({ path, request }: Method, body: Buffer): unknown {
  let value: Json;
  try {
    value = body.length === 0 ? {} : (JSON.parse(UTF8.decode(body)) as Json);
  } catch (error) {
    throw wrong(path, error instanceof SyntaxError ? "the body is not JSON" : "the body is not text in UTF-8");
  }
  try {
    boundJson(value, BODY);
    return request(value);
  } catch (error) {
    if (error instanceof JsonError) throw wrong(path, `${error.path.replace(/^\./, "") || "the body"}: ${error.rule}`);
    if (error instanceof FieldError) throw wrong(path, `${error.path || "the body"}: ${error.message}`);
    throw error;
  }
}

function wrong(path: string, why: string): DriverError {
  return new DriverError("ERR_DOCKER_REQUEST", `${path}: ${why} (a body has at most ${DOCKER.bodyBytes} bytes)`);
}
