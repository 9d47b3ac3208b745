/** The files of a new plugin's folder. */
import { PERMISSIONS, type PermissionName } from "../../permissions/catalogue.js";
import { jsonSchemas } from "../json-schemas.js";
import { driverText, type NewDriver } from "./driver-text.js";
import { linksText } from "./links-text.js";

/** A plugin that is to be written. */
export interface NewPlugin extends NewDriver {
  /** The version of Bulkhead that its package.json asks for; undefined where one is installed above the folder. */
  readonly bulkhead: string | undefined;
}

/** One file, with what is in it. */
export interface NewFile {
  readonly path: string;
  readonly text: string;
  readonly holds: string;
}

/** The compiler that a TypeScript plugin's package.json asks for. */
export const TYPESCRIPT = "^7.0.2";

/** The manifest's schema, in the plugin's own folder: a path that an editor finds wherever the folder is. */
const SCHEMA = "plugin.schema.json";

/** Returns the files, the driver first. */
export function projectFiles(plugin: NewPlugin): readonly NewFile[] {
  const { id, typescript, uses } = plugin;
  const extension = typescript ? "ts" : "js";
  return [
    { path: `index.${extension}`, text: driverText(plugin), holds: "the driver" },
    ...(uses.has("netlink")
      ? [{ path: `links.${extension}`, text: linksText(typescript), holds: "its bridges and veth pairs" }]
      : []),
    { path: "plugin.json", text: json(manifest(plugin)), holds: "the manifest: what it asks for" },
    { path: SCHEMA, text: json(jsonSchemas()[SCHEMA]), holds: "the manifest's JSON Schema, for your editor" },
    { path: `test/${id}.test.mjs`, text: testText(id), holds: "its test: the contract's rules, and its own" },
    { path: "package.json", text: json(packageJson(plugin)), holds: "scripts, and the packages that it needs" },
    ...(typescript
      ? [{ path: "tsconfig.json", text: json(TSCONFIG), holds: "for your editor and `npx tsc --noEmit`" }]
      : []),
    { path: "README.md", text: readmeText(plugin), holds: "how to go on" },
  ];
}

function manifest({ id, uses }: NewPlugin): object {
  const asked = Object.keys(PERMISSIONS) as PermissionName[];
  const limits: Partial<Record<PermissionName, object>> = { netlink: { kinds: ["bridge", "veth"] } };
  return {
    $schema: `./${SCHEMA}`,
    name: id,
    version: "0.1.0",
    description: `The network driver "${id}".`,
    apiVersion: 1,
    networkTypes: [id],
    permissions: Object.fromEntries(asked.filter((name) => uses.has(name)).map((name) => [name, limits[name] ?? true])),
  };
}

function packageJson({ id, typescript, bulkhead }: NewPlugin): object {
  const needs = {
    ...(bulkhead === undefined ? {} : { bulkhead: `^${bulkhead}` }),
    ...(typescript ? { typescript: TYPESCRIPT } : {}),
  };
  return {
    name: id,
    version: "0.1.0",
    private: true,
    type: "module",
    scripts: {
      dev: "bulkhead dev .",
      check: "bulkhead check .",
      ...(typescript ? { types: "tsc --noEmit" } : {}),
      test: "node --test",
    },
    ...(Object.keys(needs).length > 0 ? { devDependencies: needs } : {}),
  };
}

const TSCONFIG = {
  compilerOptions: {
    module: "nodenext",
    target: "es2022",
    // "dom" is for console, timers and URL; the sandbox has nothing else of it.
    lib: ["es2025", "dom"],
    types: [],
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    isolatedModules: true,
    allowImportingTsExtensions: true,
  },
  include: ["**/*.ts"],
  exclude: ["**/node_modules"],
};

function testText(id: string): string {
  return `/** Tests the driver. Run \`node --test\` in the plugin's folder; other test frameworks work too. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { createTestHost, driverContract, EndpointConfig } from "bulkhead/testing";

const plugin = fileURLToPath(new URL("..", import.meta.url));
/** The options of a rule's networks, which it counts from 0. */
const network = (n) => ({ "com.docker.network.generic": { subnet: \`10.64.\${n}.0/24\` } });

describe("the contract", () => {
  for (const rule of driverContract({ plugin, network, rounds: 20 })) {
    it(\`\${rule.id}: \${rule.says}\`, () => rule.run());
  }
});

describe("${id}", () => {
  it("gives the first endpoint .2, also when its worker has crashed in between", async () => {
    const host = await createTestHost({ plugin });
    try {
      const driver = host.driver("${id}");
      await driver.createNetwork("n", network(1));
      await host.kill(); // a crash: the host repeats the network to the next worker
      const endpoint = new EndpointConfig();
      await driver.createEndpoint("n", "e", endpoint);
      assert.equal(endpoint.interfaces()[0].address(), "10.64.1.2/24");
    } finally {
      await host.close();
    }
  });
});
`;
}

function readmeText(plugin: NewPlugin): string {
  const { id, typescript, uses, bulkhead } = plugin;
  const asks = [...uses].map((name) => `- \`${name}\`: ${PERMISSIONS[name].gives}`);
  const commands = [
    ...(bulkhead !== undefined || typescript ? [["npm install", ""]] : []),
    ["npx bulkhead dev .", "runs it, and loads it again whenever you save a file"],
    ["npx bulkhead check .", "bundles it, lists what it asks for, and runs its init"],
    ...(typescript ? [["npx tsc --noEmit", "checks the types, which are only stripped when it is loaded"]] : []),
    ["npx bulkhead test .", "tries every rule of the driver contract"],
    ["node --test", "the same, and the driver's own test"],
  ].map(([command = "", does]) => (does === "" ? command : `${command.padEnd(22)}# ${does}`));
  return `# ${id}

A network driver for Bulkhead. It hands out the addresses of a network's subnets${
    uses.has("netlink") ? ", and connects endpoints with a bridge" : ""
  }.

\`\`\`sh
${commands.join("\n")}
\`\`\`

What it asks for, under \`permissions\` of \`plugin.json\`:

${asks.join("\n")}

The guide for authors is \`plugins/README.md\` of the package \`bulkhead\`.
`;
}

function json(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
