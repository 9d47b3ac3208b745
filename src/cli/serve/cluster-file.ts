/** The file that names the store which hosts share: `cluster` in the daemon's config. Certificates and the password are files of their own. */
import { dirname, resolve } from "node:path";
import { z } from "../../common/zod.js";
import { DriverError } from "../../driverapi/errors.js";
import { type ClusterOptions, clusterOptionsProblem } from "../../permissions/cluster/options.js";
import { DOCUMENT_LIMITS } from "../../policy/limits.js";
import { parseDocumentText } from "../../policy/manifest/document.js";
import { readRegularFile } from "../../policy/manifest/read-file.js";

/** Bytes of a file with a certificate, a key or a password. */
const SECRET_BYTES = 65_536;

const path = z.string().min(1).max(4_096);

const fileSchema = z.strictObject({
  store: z.enum(["etcd", "local", "memory"]),
  endpoints: z.exactOptional(z.array(z.string()).max(16)),
  prefix: z.exactOptional(z.string()),
  ca: z.exactOptional(path),
  cert: z.exactOptional(path),
  key: z.exactOptional(path),
  user: z.exactOptional(z.string()),
  passwordFile: z.exactOptional(path),
});

/** Reads it, and the files that it names, by paths relative to its folder. Throws `ERR_OPTIONS`, naming the file and the field. */
export async function readClusterFile(file: string): Promise<ClusterOptions> {
  const named = parseDocumentText(await textOf(file), {
    code: "ERR_OPTIONS",
    schema: fileSchema,
    maxBytes: DOCUMENT_LIMITS.manifestBytes,
    file,
  });
  const { ca, cert, key, passwordFile, ...rest } = named;
  const secrets: Record<string, string> = {};
  for (const [name, place] of Object.entries({ ca, cert, key, password: passwordFile })) {
    if (place === undefined) continue;
    const text = await textOf(resolve(dirname(file), place));
    secrets[name] = name === "password" ? text.trimEnd() : text;
  }
  const options = { ...rest, ...secrets };
  const problem = clusterOptionsProblem(options);
  if (problem !== undefined) throw wrong(file, problem);
  return options as ClusterOptions;
}

async function textOf(file: string): Promise<string> {
  const read = await readRegularFile(file, { maxBytes: SECRET_BYTES, followLink: true });
  if (read.kind === "read") return read.text;
  throw wrong(file, read.kind === "absent" ? "the file does not exist" : read.why);
}

function wrong(file: string, rule: string): DriverError {
  return new DriverError("ERR_OPTIONS", `${file}: ${rule}`, { file });
}
