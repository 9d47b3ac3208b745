/** Docker's options for a bridge: README's table is the code's, and each does what it says. */
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import type { JsonObject } from "#dist/index.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { generic, partOf } from "./shipped.js";

const test = suite("plugins/bridge-options");

interface DockerOption {
  readonly name: string;
  readonly here: string;
  readonly only?: readonly string[];
  readonly why?: string;
}

interface Options {
  readonly DOCKER_OPTIONS: readonly DockerOption[];
  readNetworkOptions(options: JsonObject): { readonly interfacePrefix: string };
}

test("README's table is the code's", async (t) => {
  const { DOCKER_OPTIONS } = await partOf<Options>(t, "bridge", "options.ts");
  const readme = await readFile(join(REPO, "plugins/bridge/README.md"), "utf8");
  const [, table = ""] = readme.split("| option | what happens here | why not more |\n| --- | --- | --- |\n");
  const rows = (table.split("\n\n")[0] ?? "").split("\n").map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
  assert.equal(
    rows,
    DOCKER_OPTIONS.map(({ name, here, why = "" }) => [`\`${name}\``, here, why]),
  );
});

test("a value that is not supported is refused with its reason, and the default is accepted", async (t) => {
  const { DOCKER_OPTIONS, readNetworkOptions } = await partOf<Options>(t, "bridge", "options.ts");
  const read = (name: string, value: string): string | undefined => {
    try {
      readNetworkOptions(generic({ [name]: value }));
      return undefined;
    } catch (error) {
      assert.is((error as { kind?: string }).kind, "BadRequest");
      return (error as Error).message;
    }
  };
  const refused = DOCKER_OPTIONS.flatMap(({ name, only, why = "" }) => {
    if (only === undefined) return [];
    for (const value of [...only, ""]) assert.is(read(name, value), undefined, `${name} ${value}`);
    assert.is(read(name, "odd"), `option ${name} cannot be "odd" here: ${why.replaceAll("`", "")}`);
    return [name.slice("com.docker.network.bridge.".length)];
  });
  assert.equal(refused.sort(), [
    "default_bridge",
    "enable_icc",
    "gateway_mode_ipv4",
    "gateway_mode_ipv6",
    "inhibit_ipv4",
    "name",
    "trusted_host_interfaces",
  ]);
  assert.ok(read("com.docker.network.bridge.enable_icc", "false"));
  assert.ok(read("com.docker.network.bridge.gateway_mode_ipv6", "routed"));
});

test("the interface's name", async (t) => {
  const { readNetworkOptions } = await partOf<Options>(t, "bridge", "options.ts");
  const key = "com.docker.network.container_iface_prefix";
  assert.is(readNetworkOptions({}).interfacePrefix, "eth");
  assert.is(readNetworkOptions(generic({ [key]: "lan" })).interfacePrefix, "lan");
});

test.run();
