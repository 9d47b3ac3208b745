/** Makes dns-packet.js: the package `dns-packet` in one file, since a plugin loads only files of its own folder. */
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const folder = fileURLToPath(new URL(".", import.meta.url));

await build({
  stdin: {
    contents: `
      import { Buffer } from "buffer";
      import packet from "dns-packet";
      export { encode, RECURSION_DESIRED, RECURSION_AVAILABLE, TRUNCATED_RESPONSE } from "dns-packet";
      export const decode = (bytes) => packet.decode(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength));`,
    resolveDir: folder,
  },
  outfile: `${folder}dns-packet.js`,
  bundle: true,
  format: "esm",
  platform: "neutral",
  mainFields: ["main"],
  target: "es2022",
  legalComments: "inline",
  banner: {
    js: "/*! dns-packet and @leichtgewicht/ip-codec, MIT licence: https://www.npmjs.com/package/dns-packet */",
  },
  plugins: [
    {
      // The host's bundler puts its copy of Node's module in for an import.
      name: "buffer",
      setup({ onResolve, onLoad }) {
        onResolve({ filter: /^buffer$/ }, ({ namespace }) =>
          namespace === "buffer" ? { path: "buffer", external: true } : { path: "buffer", namespace: "buffer" },
        );
        onLoad({ filter: /.*/, namespace: "buffer" }, () => ({
          contents: `export { Buffer } from "buffer";`,
          resolveDir: folder,
        }));
      },
    },
  ],
});
