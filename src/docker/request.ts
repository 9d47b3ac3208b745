/** One request from its body to its answer: read, judged by the table, put before the driver, answered by the deadline. */

import type { z } from "../common/zod.js";
import { DriverError } from "../driverapi/errors.js";
import { copyJson, JsonError } from "../driverapi/json.js";
import { LIMITS } from "../protocol/limits.js";
import { DOCKER } from "./limits.js";
import type { Method, Serving } from "./methods.js";

/** What the engine gets: its status, and JSON text. */
export interface Answer {
  readonly status: number;
  readonly text: string;
}

/** `Err` is what the user of the engine reads after `remote:`. */
export function refusalAnswer(error: unknown): Answer {
  const known = error instanceof DriverError ? error : undefined;
  const message = known?.message ?? "the gateway failed; see its log";
  return { status: known?.code === "ERR_DOCKER_REQUEST" ? 400 : 200, text: JSON.stringify({ Err: message }) };
}

export interface AnswerOptions {
  /** The answer is there by then, in milliseconds. */
  readonly answerMs: number;
  /** Fires when the server ends and waits no longer. */
  readonly stopping: AbortSignal;
  /** Told of faults that are nobody's but ours. */
  failed(error: unknown): void;
}

/** Reads `body` and has it answered. Never rejects. */
export async function answerRequest(
  method: Method,
  body: Buffer,
  serving: () => Serving,
  { answerMs, stopping, failed }: AnswerOptions,
): Promise<Answer> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), answerMs);
  const signal = AbortSignal.any([patience.signal, stopping]);
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
  }
}

/** What the engine gives is passed on with a few levels of our own around it. */
const BODY = { depth: LIMITS.jsonDepth - 4, nodes: LIMITS.jsonNodes, chars: DOCKER.bodyBytes };

/** Throws `ERR_DOCKER_REQUEST`, naming the field. An empty body stands for an empty object, as of Plugin.Activate. */
function readBody({ path, request }: Method, body: Buffer): unknown {
  let value: unknown;
  try {
    value = body.length === 0 ? {} : JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch (error) {
    throw wrong(path, error instanceof SyntaxError ? "the body is not JSON" : "the body is not text in UTF-8");
  }
  try {
    // Looked through before anything else is, for whatever reads it next goes down into it.
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
