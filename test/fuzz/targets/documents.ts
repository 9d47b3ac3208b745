/** The manifest and policy parsers: a document's text to what it says. `DriverError` with the document's code is the only throw allowed. */
import { DriverError } from "#dist/driverapi/errors.js";
import { DOCUMENT_LIMITS } from "#dist/policy/limits.js";
import { parseManifest } from "#dist/policy/manifest/parse-manifest.js";
import { parsePolicy } from "#dist/policy/parse-policy.js";
import { policyEntry } from "#dist/policy/schema.js";
import { MANIFESTS, POLICIES } from "../corpus.js";
import { manifestText, policyText } from "../generators/documents.js";
import { stopwatch } from "../stopwatch.js";
import { must, mustBeLine, type Outcome, type Target } from "../target.js";

/** What they share. */
const SHARED = [
  { file: "policy/manifest/json-text.js" },
  { file: "policy/manifest/document.js", functions: ["parseDocumentText", "failure", "check"] },
  { file: "policy/manifest/explain.js" },
  { file: "common/nearest.js" },
  { file: "policy/manifest/schema.js" },
] as const;

/** Parses; undefined: refused in the words that are asked for. */
function parsed<T>(parse: () => T, code: string, file: string): T | undefined {
  try {
    return parse();
  } catch (error) {
    if (!(error instanceof DriverError)) throw error;
    must(error.code === code, `refused with ${error.code}`);
    must(error.message.startsWith(file) && error.file === file, `it names no file: ${error.message}`);
    mustBeLine(error.message);
    return undefined;
  }
}

function isJson(text: string): boolean {
  try {
    JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
    return true;
  } catch {
    return false;
  }
}

function runManifest(input: unknown): Outcome {
  const text = String(input);
  const file = "plugins/x/plugin.json";
  const parse = (again: string) => parsed(() => parseManifest(again, file, "x"), "ERR_MANIFEST_INVALID", file);
  const elapsed = stopwatch();
  const manifest = parse(text);
  const ms = elapsed();
  if (manifest === undefined) return { reach: isJson(text) ? "refused" : "unread", ms };
  const said = JSON.stringify(manifest);
  must(JSON.stringify(parse(said)) === said, "what it says is not taken again");
  return { reach: "accepted", ms };
}

function runPolicy(input: unknown): Outcome {
  const text = String(input);
  const file = "bulkhead.config.json";
  const parse = (given: unknown) => parsed(() => parsePolicy(given, file), "ERR_POLICY_INVALID", file);
  const ofText = stopwatch();
  const policy = parse(text);
  const ms = ofText();
  if (policy === undefined) {
    if (!isJson(text)) return { reach: "unread", ms };
    // As an object it may be taken: JSON.parse keeps the last of two equal keys, and a place more of depth.
    const value: unknown = JSON.parse(text.startsWith("\uFEFF") ? text.slice(1) : text);
    const ofValue = stopwatch();
    parse(value);
    return { reach: "refused", ms: Math.max(ms, ofValue()) };
  }
  must(policyEntry(policy, "toString") === undefined, "an entry that nobody wrote");
  for (const id of Object.keys(policy.plugins ?? {}))
    must(policyEntry(policy, id) !== undefined, "an entry that is lost");
  const said = JSON.stringify(policy);
  must(JSON.stringify(parse(said)) === said, "what it says is not taken again");
  must(JSON.stringify(parse(policy)) === said, "as an object it says something else");
  return { reach: "accepted", ms };
}

/** As many mistakes of one kind as a document of `bytes` can hold. */
function mistakes(bytes: number): string[] {
  const many = (open: string, one: (at: number) => string, close: string, nodes = 1): string => {
    const room = Math.floor((bytes - open.length - close.length) / (one(DOCUMENT_LIMITS.nodes).length + 1));
    const length = Math.min(room, Math.floor(DOCUMENT_LIMITS.nodes / nodes) - 8);
    return `${open}${Array.from({ length }, (_, at) => one(at)).join()}${close}`;
  };
  return [
    many("{", (at) => `"permissionz${at}":1`, "}"),
    many('{"permissions":{', (at) => `"a${at}":{}`, "}}"),
    many('{"networkTypes":[', (at) => `"..${at}"`, "]}"),
    many('{"permissions":{"netlink":{"subnets":[', () => '"10.0.0.1/8"', "]}}}"),
    many('{"plugins":{', (at) => `"A${at}":{}`, "}}"),
    many('{"plugins":{', (at) => `"a${at}":1`, "}}"),
    many('{"plugins":{', (at) => `"a${at}":{"x":1}`, "}}", 2),
    many('{"plugins":{', (at) => `"a${at}":{"grant":{"log":1,"clock":{"x":1}}}`, "}}", 5),
    many('{"plugins":{', (at) => `"a${at}":{"grant":{"netlink":{"prefix":"p${at}"}}}`, "}}", 4),
    many('{"plugins":{"x":{"options":{', (at) => `"..${at}":{}`, "}}}}"),
    many('{"plugins":{"x":{"grant":{"netlink":{"remotes":[', () => '"fe80::1%x/64"', "]}}}}}"),
    `[${"0,".repeat(DOCUMENT_LIMITS.nodes)}0]`,
    `{"${"k".repeat(bytes / 2)}":[${"0,".repeat(DOCUMENT_LIMITS.nodes / 2)}0]}`,
  ];
}

/** One of each kind of mistake that documents made at random seldom have. */
const WRONG: readonly string[] = [
  '{"plugins":{"a":{"networkTypes":[]}}}',
  '{"plugins":{"a":{"limits":{"memoryMb":1}}}}',
  '{"plugins":{"a":{"limits":{"drivers":99999}}}}',
  `{"$schema":"${"x".repeat(3000)}"}`,
  '{"plugins":{"a":{"grant":{"netlink":{"kinds":["tun"],"prefix":1,"subnets":["10.0.0.0/4"],"max":0}}}}}',
  '{"plugins":{"a":{"grant":{"firewall":{"ports":["x"]}}}}}',
  '{"plugins":{"a":{"grant":{"netlnk":true}},"b":{"enabeld":true},"c":{"sha256":"x"}}}',
  '{"plugins":{"a":{"timeouts":{"zzzzzzzz":1}}}}',
  '{"sandbox":"bubble","defaults":[]}',
];

export const manifests: Target = {
  name: "manifest parser",
  corpus: MANIFESTS,
  most: DOCUMENT_LIMITS.manifestBytes + 16,
  files: [
    { file: "policy/manifest/parse-manifest.js" },
    ...SHARED,
    { file: "permissions/netlink/grant.js", functions: ["networkProblem"] },
  ],
  generated: manifestText,
  once: [" ".repeat(DOCUMENT_LIMITS.manifestBytes + 1), ...mistakes(DOCUMENT_LIMITS.manifestBytes)],
  run: runManifest,
};

export const policies: Target = {
  name: "policy parser",
  corpus: POLICIES,
  most: DOCUMENT_LIMITS.policyBytes + 16,
  files: [
    { file: "policy/parse-policy.js" },
    { file: "policy/schema.js" },
    ...SHARED,
    { file: "policy/manifest/document.js", functions: ["parseDocumentValue"] },
    { file: "permissions/netlink/grant.js" },
  ],
  generated: policyText,
  once: [" ".repeat(DOCUMENT_LIMITS.policyBytes + 1), ...WRONG, ...mistakes(DOCUMENT_LIMITS.policyBytes)],
  run: runPolicy,
};
