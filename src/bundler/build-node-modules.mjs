/**
 * Builds the kept copies of Node's pure modules: one CommonJS file each in dist/bundler/node-modules, which ask for each
 * other by `node:` names. They are packages of ours at build time only, so a plugin gets what this version was built with.
 */
import { build } from "esbuild";

const more = (name) => `require("./dist/bundler/polyfills/${name}.js")`;

/** What each file exports. A name with a slash behind is the npm package of that name. */
const MODULES = {
  assert: 'module.exports=require("assert/");module.exports.strict=Object.assign(module.exports,module.exports.strict)',
  buffer: `module.exports=Object.assign({},require("buffer/"),{isUtf8:undefined,atob:globalThis.atob,btoa:globalThis.btoa})`,
  crypto: `module.exports=Object.assign({},${more("crypto")})`,
  events: 'module.exports=require("events/")',
  path: 'module.exports=require("path-browserify")',
  process: `module.exports=${more("process")}.default`,
  punycode: 'module.exports=require("punycode/")',
  querystring: 'module.exports=require("querystring-es3")',
  stream: 'module.exports=require("readable-stream/lib/ours/browser.js")',
  "stream-promises": 'module.exports=require("node:stream").promises',
  // As Node's, it takes any view of bytes.
  string_decoder: `const{StringDecoder}=require("string_decoder/"),{Buffer}=require("node:buffer");const bytes=(v)=>ArrayBuffer.isView(v)&&!Buffer.isBuffer(v)?Buffer.from(v.buffer,v.byteOffset,v.byteLength):v;module.exports={StringDecoder:class extends StringDecoder{constructor(e){super(e);const{write,end}=this;Object.defineProperties(this,{write:{value:(v)=>write.call(this,bytes(v)),writable:true},end:{value:(v)=>end.call(this,bytes(v)),writable:true}})}}}`,
  // What the grant gives; without timers, nothing.
  timers: `module.exports=Object.fromEntries(["setTimeout","setInterval","setImmediate","clearTimeout","clearInterval","clearImmediate"].map((name)=>[name,globalThis[name]]))`,
  url: `module.exports=Object.assign({},require("url/"),${more("url-more")})`,
  util: `module.exports=Object.assign({},require("util/"),{TextEncoder:globalThis.TextEncoder,TextDecoder:globalThis.TextDecoder,isDeepStrictEqual:(a,b)=>{try{require("node:assert").deepStrictEqual(a,b);return true}catch{return false}}},${more("util-more")})`,
  "util-types": 'module.exports=require("node:util").types',
};

/** Packages ask for each other by Node's names: one copy of each in a plugin. */
const shared = {
  name: "shared",
  setup(of) {
    of.onResolve(
      { filter: new RegExp(`^(?:node:)?(?:${Object.keys(MODULES).join("|")})/?$`) },
      ({ path, importer }) => {
        const name = path.replace(/^node:|\/$/g, "");
        if (importer === "<stdin>" && path.endsWith("/")) return undefined;
        return { path: `node:${name}`, external: true, sideEffects: false };
      },
    );
    // As Node's own url does.
    of.onResolve({ filter: /^qs$/ }, () => ({ path: "node:querystring", external: true, sideEffects: false }));
    of.onResolve({ filter: /^abort-controller$/ }, () => ({ path: "own", namespace: "abort" }));
    of.onLoad({ filter: /.*/, namespace: "abort" }, () => ({
      contents: "module.exports={AbortController:globalThis.AbortController,AbortSignal:globalThis.AbortSignal}",
    }));
  },
};

for (const [name, contents] of Object.entries(MODULES)) {
  await build({
    stdin: { contents, resolveDir: ".", loader: "js" },
    outfile: `dist/bundler/node-modules/${name}.cjs`,
    bundle: true,
    format: "cjs",
    platform: "browser",
    target: "es2022",
    mainFields: ["browser", "module", "main"],
    conditions: ["browser"],
    define: { global: "globalThis", "process.env.NODE_ENV": '"production"' },
    inject:
      name === "process"
        ? []
        : ["src/bundler/inject-process.mjs"].concat(name === "buffer" ? [] : ["src/bundler/inject-buffer.mjs"]),
    plugins: [shared],
    minifySyntax: true,
    legalComments: "eof",
    logLevel: "warning",
  });
}
