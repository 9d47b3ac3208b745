/** Parses a manifest's text. */
import { DOCUMENT_LIMITS } from "../limits.js";
import { type DocumentKind, failure, parseDocumentText } from "./document.js";
import { type Manifest, manifestSchema } from "./schema.js";

/**
 * Parses a manifest; `file` is named in errors.
 * With `id`, the manifest's `name`, when given, must equal it.
 * Throws `ERR_MANIFEST_INVALID` with file, line, path and rule, and for an unknown key the nearest known one.
 */
export function parseManifest(text: string, file: string, id?: string): Manifest {
  const kind: DocumentKind<Manifest> = {
    code: "ERR_MANIFEST_INVALID",
    schema: manifestSchema,
    maxBytes: DOCUMENT_LIMITS.manifestBytes,
    file,
    plugin: id,
  };
  const manifest = parseDocumentText(text, kind);
  if (id !== undefined && manifest.name !== undefined && manifest.name !== id) {
    throw failure(
      kind,
      `name: must be ${JSON.stringify(id)}, as the file is called, or be left out, not ${JSON.stringify(manifest.name)}`,
    );
  }
  return manifest;
}
