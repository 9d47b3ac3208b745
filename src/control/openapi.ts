/** Generates `openapi.json` from the operations and their schemas. */
import { z } from "../common/zod.js";
import { EVENTS_PATH, OPERATIONS, type OperationName, TABLE_PATH } from "./operations.js";
import { errorBody, hostEvent, REPLIES } from "./reply-schemas.js";
import { BODIES, eventsQuery, idParams, tableQuery } from "./request-schemas.js";

type Document = Readonly<Record<string, unknown>>;

/** Returns the API's description, OpenAPI 3.1. */
export function openApi(): Document {
  const paths: Record<string, Record<string, unknown>> = {};
  for (const [name, { method, path, summary }] of Object.entries(OPERATIONS)) {
    const reply = { description: "done", content: json(schemaOf(REPLIES[name as OperationName], "output")) };
    const schema = BODIES[name as keyof typeof BODIES];
    const body = schema ? { requestBody: { required: true, content: json(schemaOf(schema)) } } : {};
    paths[path] = {
      ...paths[path],
      [method.toLowerCase()]: {
        ...{ operationId: name, summary, parameters: path.includes("{id}") ? parameters("path", idParams) : [] },
        ...body,
        responses: { "200": reply, default: error() },
      },
    };
  }
  paths[EVENTS_PATH] = {
    get: {
      operationId: "events",
      summary: "follow events and log lines; `event: missed` says how many were lost to a client that reads too slowly",
      parameters: [
        ...parameters("query", eventsQuery),
        { name: "Last-Event-ID", in: "header", required: false, schema: { type: "string" } },
      ],
      responses: {
        "200": { description: "events", content: { "text/event-stream": { schema: schemaOf(hostEvent, "output") } } },
        default: error(),
      },
    },
  };
  paths[TABLE_PATH] = {
    get: {
      operationId: "table",
      summary: "list the plugins as the table that `bulkhead ps` prints",
      parameters: parameters("query", tableQuery),
      responses: {
        "200": { description: "the table", content: { "text/plain": { schema: { type: "string" } } } },
        default: error(),
      },
    },
  };
  return { openapi: "3.1.0", info: { title: "Bulkhead: the control socket", version: "1" }, paths };
}

function schemaOf(schema: z.ZodType, io: "input" | "output" = "input"): Document {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io });
  return rest;
}

function json(schema: Document): Document {
  return { "application/json": { schema } };
}

function error(): Document {
  return { description: "refused or failed", content: json(schemaOf(errorBody, "output")) };
}

function parameters(where: "path" | "query", schema: z.ZodType): readonly Document[] {
  const { properties = {}, required = [] } = z.toJSONSchema(schema, { io: "input" });
  return Object.entries(properties).map(([name, one]) => ({
    ...{ name, in: where, required: required.includes(name), schema: one },
  }));
}
