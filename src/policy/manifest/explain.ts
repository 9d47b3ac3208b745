/** Explains zod issues in words that an author or an operator can act on. */
import type { z } from "zod";
import { nearest } from "../../common/nearest.js";
import { quote } from "../../common/quote.js";
import type { Json } from "../../driverapi/json.js";
import type { JsonPath } from "./json-text.js";

/** One mistake in a document. */
export interface Mistake {
  readonly path: JsonPath;
  /** What is wrong, and what would be right. */
  readonly rule: string;
}

type Issue = z.core.$ZodIssue;

/** What is wrong with a document: the number of mistakes, and the first of them in words. */
export interface Explained {
  readonly count: number;
  readonly mistakes: readonly Mistake[];
}

/**
 * Explains a failed parse of `value`, in the order in which zod found the mistakes. `schema` gives the known keys. Only the
 * first `most` are put into words: a small document can hold thousands.
 */
export function explain(issues: readonly Issue[], value: Json, schema: z.ZodType, most: number): Explained {
  const found = issues.flatMap((issue) => explainIssue(issue, [], value, schema));
  return { count: found.length, mistakes: found.slice(0, most).map((told) => told()) };
}

function explainIssue(issue: Issue, base: JsonPath, root: Json, schema: z.ZodType): (() => Mistake)[] {
  const path: JsonPath = [...base, ...issue.path.map((step) => (typeof step === "number" ? step : String(step)))];
  if (issue.code === "unrecognized_keys")
    return issue.keys.map((key) => () => ({ path: [...path, key], rule: unknownKey(key, knownKeys(schema, path)) }));
  if (issue.code === "invalid_union") {
    // The branch that fits the value's own type gives the best explanation of what is wrong inside it.
    const inner = issue.errors.find((branch) => !branch.some((one) => one.path.length === 0 && isTypeMismatch(one)));
    if (inner) return inner.flatMap((one) => explainIssue(one, path, root, schema));
  }
  return [() => ({ path, rule: rule(issue, valueAt(root, path)) })];
}

/** Puts one issue into words; `value` is the value at its place. */
function rule(issue: Issue, value: Json | undefined): string {
  const got = shown(value);
  switch (issue.code) {
    case "invalid_union":
      return `must be true or an object of limits, not ${got}`;
    case "invalid_key":
      return issue.issues.map(({ message }) => message).join("; ");
    case "invalid_type":
      return `must be ${withArticle(issue.expected)}, not ${got}`;
    case "invalid_value":
      return `must be ${issue.values.map((one) => JSON.stringify(one)).join(" or ")}, not ${got}`;
    case "too_small":
      return bound("at least", issue.minimum, issue.origin, value);
    case "too_big":
      return bound("at most", issue.maximum, issue.origin, value);
    default:
      return issue.message.includes(got) ? issue.message : `${issue.message}, not ${got}`;
  }
}

function isTypeMismatch(issue: Issue): boolean {
  return issue.code === "invalid_type" || issue.code === "invalid_value";
}

/** Explains an unknown key. */
function unknownKey(key: string, known: readonly string[]): string {
  const list = known.length === 0 ? "none are known here" : `known keys: ${known.join(", ")}`;
  const near = nearest(key, known);
  return near === undefined ? `unknown key; ${list}` : `unknown key; did you mean ${JSON.stringify(near)}? (${list})`;
}

/** Returns the keys that the schema knows at `path`, through optionals, records and unions. */
function knownKeys(schema: z.ZodType, path: JsonPath): string[] {
  let at: z.core.$ZodType[] = unwrap(schema);
  for (const step of path) at = at.flatMap((one) => stepInto(one, String(step))).flatMap(unwrap);
  return [...new Set(at.flatMap((one) => Object.keys(shapeOf(one) ?? {})))];
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "optional" || def.type === "readonly" || def.type === "nonoptional") return unwrap(def.innerType);
  if (def.type === "union") return def.options.flatMap(unwrap);
  return [schema];
}

function stepInto(schema: z.core.$ZodType, step: string): z.core.$ZodType[] {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  if (def.type === "record") return [def.valueType];
  if (def.type === "array") return [def.element];
  const shape = shapeOf(schema);
  const member = shape !== undefined && Object.hasOwn(shape, step) ? shape[step] : undefined;
  return member === undefined ? [] : [member];
}

function shapeOf(schema: z.core.$ZodType): Readonly<Record<string, z.core.$ZodType>> | undefined {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === "object" ? def.shape : undefined;
}

function valueAt(root: Json, path: JsonPath): Json | undefined {
  let at: Json | undefined = root;
  for (const step of path) {
    if (!Object.hasOwn(Object(at), step)) return undefined;
    at = (at as { readonly [key: string | number]: Json })[step];
  }
  return at;
}

/** Shows a value in an error text. */
function shown(value: Json | undefined): string {
  if (value === undefined) return "nothing";
  return Array.isArray(value) ? "a list" : quote(value);
}

/** Returns a path such as `plugins.bridge.grant.store`, with brackets and quotes where a key is not a plain word. */
export function pathText(path: JsonPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (/^[\w$-]{1,64}$/.test(step)) text += text === "" ? step : `.${step}`;
    else text += `[${quote(step)}]`;
  }
  return text;
}

function withArticle(type: string): string {
  const words: Readonly<Record<string, string>> = {
    int: "a whole number",
    record: "an object",
    object: "an object",
    array: "a list",
  };
  return words[type] ?? `a ${type}`;
}

/** Explains a bound: `must have at least 1 entry, and has none`; for a number: `must be at most 8, not 9`. */
function bound(which: string, limit: number | bigint, origin: string, value: Json | undefined): string {
  if (origin !== "string" && origin !== "array") return `must be ${which} ${limit}, not ${shown(value)}`;
  const [one, many] = origin === "string" ? ["character", "characters"] : ["entry", "entries"];
  const unit = Number(limit) === 1 ? one : many;
  const has = typeof value === "string" || Array.isArray(value) ? value.length : 0;
  return `must have ${which} ${limit} ${unit}, and has ${has === 0 ? "none" : has}`;
}
