/** One request from its body to its answer: read, judged by the table, put before the driver, answered by the deadline. */
import { DriverError } from "../driverapi/errors.js";
import { DOCKER } from "../protocol/limits.js";
import type { z } from "../zod.js";
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

/** Reads `body` and has it answered. Never rejects. `failed` is told of faults that are nobody's but ours. */
export async function answerRequest(
  method: Method,
  body: string,
  serving: () => Serving,
  answerMs: number,
  failed: (error: unknown) => void,
): Promise<Answer> {
  const patience = new AbortController();
  const timer = setTimeout(() => patience.abort(), answerMs);
  try {
    const request = readBody(method, body);
    const reply = await method.answer(serving(), request, { signal: patience.signal });
    return { status: 200, text: JSON.stringify(reply) };
  } catch (error) {
    if (!(error instanceof DriverError)) failed(error);
    if (patience.signal.aborted && error instanceof DriverError && error.code === "ERR_CALL_ABORTED") {
      const { driver, method: called } = error;
      const words = `driver "${driver ?? ""}" did not answer ${called ?? method.path} within ${answerMs} ms; what it does later is undone`;
      return { status: 200, text: JSON.stringify({ Err: words }) };
    }
    return refusalAnswer(error);
  } finally {
    clearTimeout(timer);
  }
}

/** Throws `ERR_DOCKER_REQUEST`, naming the field. An empty body stands for an empty object, as of Plugin.Activate. */
function readBody({ path, request }: Method, body: string): unknown {
  let value: unknown;
  try {
    value = body === "" ? {} : JSON.parse(body);
  } catch {
    throw wrong(path, "the body is no JSON");
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
