/** Parses a policy's text, or the object itself. */
import { DOCUMENT_LIMITS } from "./limits.js";
import { type DocumentKind, parseDocumentText, parseDocumentValue } from "./manifest/document.js";
import { type Policy, policySchema } from "./schema.js";

/**
 * Parses a policy: a string is taken as JSON text, anything else as the object itself, which is copied.
 * `file` is named in errors. Throws `ERR_POLICY_INVALID` with file, line, path and rule; it never falls back to a laxer policy.
 */
export function parsePolicy(input: unknown, file = "the policy"): Policy {
  const kind: DocumentKind<Policy> = {
    code: "ERR_POLICY_INVALID",
    schema: policySchema,
    maxBytes: DOCUMENT_LIMITS.policyBytes,
    file,
  };
  return typeof input === "string" ? parseDocumentText(input, kind) : parseDocumentValue(input, kind);
}
