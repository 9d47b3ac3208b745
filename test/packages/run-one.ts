/**
 * Bundles one plugin and uses it as a worker does, in a process of its own. Arguments: the folder a plugin may load from, the folder its entry is in, the expected JSON.
 */
import { bundlePlugin } from "#dist/bundler/bundle.js";
import { defaultGrant } from "./grant.js";

const [root = "", folder = "", expected = "null"] = process.argv.slice(2);

function told(how: string, why: string): never {
  process.stdout.write(JSON.stringify({ how, why: why.replace(/\s+/g, " ").slice(0, 300) }), () => process.exit(0));
  throw new Error("told");
}

function words(error: unknown): string {
  const { name, message, file, line } = Object(error) as Readonly<Record<string, unknown>>;
  return `${file === undefined ? "" : `${file}:${line ?? ""}: `}${name ?? typeof error}: ${message ?? error}`;
}

async function main(): Promise<void> {
  const bundled = await bundlePlugin({
    plugin: "p",
    root,
    entry: `${folder}/index.js`,
    single: false,
    deadline: 60_000,
  });
  const { lockdownRealm } = await import("#dist/worker/lockdown.js");
  const { assemblePowers } = await import("#dist/worker/powers.js");
  const { evaluateBundle } = await import("#dist/worker/sandbox.js");
  const realm = lockdownRealm();
  const { globals } = assemblePowers(defaultGrant(), { request: async () => null, notify: () => {} });
  let use: () => Promise<unknown>;
  try {
    ({ use } = evaluateBundle(realm, "p", bundled.code, globals) as { use: () => Promise<unknown> });
  } catch (error) {
    return told("refused", `at load: ${words(error)}`);
  }
  let seen: string;
  try {
    seen = JSON.stringify((await use()) ?? null);
  } catch (error) {
    return told("partly", words(error));
  }
  told(seen === expected ? "works" : "partly", seen === expected ? "" : `it gives ${seen}`);
}

process.on("uncaughtException", (error) => told("partly", words(error)));
main().catch((error: unknown) => {
  if (error instanceof Error && error.message === "told") return;
  told("refused", words(error));
});
