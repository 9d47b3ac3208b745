/** `serve --cluster FILE`: the file, and the files it names; what is wrong is said with the file and the field, and no secret is shown. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readClusterFile } from "#dist/cli/serve/cluster-file.js";
import { settle } from "#dist/cli/serve/settings.js";
import { assert, rejection, suite } from "../harness.js";

const test = suite("cli/cluster-file");

test("certificates and the password are read from files beside it", async (t) => {
  const folder = await t.folder();
  const file = join(folder, "cluster.json");
  for (const [name, text] of [
    ["ca.pem", "CA"],
    ["host.pem", "CERT"],
    ["host.key", "KEY"],
    ["password", "secret\n"],
  ] as const)
    await writeFile(join(folder, name), text);
  await writeFile(
    file,
    JSON.stringify({
      ...{ store: "etcd", endpoints: ["https://10.0.0.1:2379"], prefix: "bh/prod", user: "bulkhead" },
      ...{ ca: "ca.pem", cert: join(folder, "host.pem"), key: "host.key", passwordFile: "password" },
    }),
  );
  assert.equal(await readClusterFile(file), {
    ...{ store: "etcd", endpoints: ["https://10.0.0.1:2379"], prefix: "bh/prod", user: "bulkhead" },
    ...{ ca: "CA", cert: "CERT", key: "KEY", password: "secret" },
  });
  await writeFile(file, '{ "store": "memory" }');
  assert.equal(await readClusterFile(file), { store: "memory" });
});

test("what is wrong names the file and the field", async (t) => {
  const folder = await t.folder();
  const file = join(folder, "cluster.json");
  const problem = async (text: string): Promise<string> => {
    await writeFile(file, text);
    const error = await rejection(readClusterFile(file));
    assert.is(error.code, "ERR_OPTIONS", error.message);
    return error.message;
  };
  const etcd = (change: object): string =>
    JSON.stringify({ store: "etcd", endpoints: ["https://10.0.0.1:2379"], ...change });
  assert.match(await problem("{"), /cluster\.json:1/);
  assert.match(await problem(etcd({ endpoint: "x" })), /endpoint/);
  assert.match(
    await problem(etcd({ endpoints: ["http://10.0.0.1:2379"] })),
    /cluster\.json: endpoints\.0: must be as https/,
  );
  assert.match(await problem(etcd({ ca: "none.pem" })), /none\.pem: the file does not exist/);
  assert.match(await problem(etcd({ user: "root" })), /user and password/);
  await writeFile(join(folder, "password"), "secret");
  assert.not.match(await problem(etcd({ passwordFile: "password" })), /secret/);
  assert.match(
    (await rejection(readClusterFile(join(folder, "no.json")))).message,
    /no\.json: the file does not exist/,
  );
});

test("a store of the host's own takes no more than its name", async (t) => {
  const file = join(await t.folder(), "cluster.json");
  for (const store of ["local", "memory"]) {
    await writeFile(file, JSON.stringify({ store }));
    assert.equal(await readClusterFile(file), { store });
    await writeFile(file, JSON.stringify({ store, endpoints: ["https://10.0.0.1:2379"] }));
    assert.match((await rejection(readClusterFile(file))).message, /endpoints/);
  }
});

test("the daemon's key and flag", () => {
  assert.is(settle({}, { cluster: "/etc/bulkhead/cluster.json" }).cluster, "/etc/bulkhead/cluster.json");
  assert.is(settle({ cluster: "a.json" }, { cluster: "b.json" }).cluster, "a.json");
  assert.is(settle({}, {}).cluster, undefined);
});

test.run();
