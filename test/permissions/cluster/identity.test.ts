/** How this host authenticates itself to the store, and the store to it; and what the option `cluster` takes. */
import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { checkOptions } from "#dist/host/options.js";
import { assert, rejection, suite, until } from "../../harness.js";
import { thrown } from "../../kit/host.js";
import { NEWER_ETCD, noEtcd, noNewerEtcd, startEtcd } from "./etcd.js";
import { hostOn } from "./stores.js";

const test = suite("permissions/cluster/identity");
const needs = { needs: noEtcd, ms: 40_000 };

for (const [name, program, why] of [
  ["etcd", undefined, noEtcd],
  ["newer etcd", NEWER_ETCD, noNewerEtcd],
] as const)
  test(
    `${name} with accounts: the operator's is used, a wrong one fails, and a token that has expired is replaced`,
    async (t) => {
      const etcd = await startEtcd(t, ["--auth-token-ttl", "1"], "http", program);
      await etcd.call("auth/user/add", { name: "root", password: "secret-1" });
      await etcd.call("auth/role/add", { name: "root" });
      await etcd.call("auth/user/grant", { user: "root", role: "root" });
      await etcd.call("auth/enable", {});
      const account = { store: "etcd", endpoints: [etcd.url], user: "root", password: "secret-1" } as const;
      const { ask } = hostOn(t, { options: account }).open();
      const revision = (await ask("create", { key: "a", value: 1 })) as number;
      assert.is(
        (
          await rejection(
            hostOn(t, { options: { store: "etcd", endpoints: [etcd.url] } })
              .open()
              .ask("get", { key: "a" }),
          )
        ).code,
        "ERR_CLUSTER_FAILED",
      );
      const wrong = await rejection(
        hostOn(t, { options: { ...account, password: "secret-2" } })
          .open()
          .ask("get", { key: "a" }),
      );
      assert.is(wrong.code, "ERR_CLUSTER_FAILED", wrong.message);
      assert.not.match(wrong.message, /secret/);
      await etcd.kill("SIGKILL");
      // Tokens are kept in memory: none of before is known.
      await etcd.start();
      await until(() => ask("get", { key: "a" }).then(Boolean, () => false), "etcd to answer", 10_000);
      assert.ok(await ask("compareAndSet", { key: "a", revision, value: 2 }));
    },
    { needs: why, ms: 40_000 },
  );

test(
  "TLS: the operator's authority alone is trusted, and this host shows its certificate",
  async (t) => {
    const folder = await t.folder();
    const openssl = (...words: string[]): void => void execFileSync("openssl", words, { cwd: folder, stdio: "ignore" });
    const own = (name: string, extra: readonly string[] = []): void => {
      openssl(
        "req",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        `${name}.key`,
        "-out",
        `${name}.csr`,
        "-subj",
        `/CN=${name}`,
        ...extra,
      );
      openssl(
        "x509",
        "-req",
        "-in",
        `${name}.csr`,
        "-CA",
        "ca.pem",
        "-CAkey",
        "ca.key",
        "-CAcreateserial",
        "-out",
        `${name}.pem`,
        "-days",
        "2",
        "-copy_extensions",
        "copy",
      );
    };
    openssl(
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-keyout",
      "ca.key",
      "-out",
      "ca.pem",
      "-subj",
      "/CN=ca",
      "-days",
      "2",
    );
    own("server", ["-addext", "subjectAltName=IP:127.0.0.1"]);
    own("host");
    const at = (name: string): string => join(folder, name);
    const text = (name: string): string => readFileSync(at(name), "utf8");
    const etcd = await startEtcd(
      t,
      [
        "--cert-file",
        at("server.pem"),
        "--key-file",
        at("server.key"),
        "--client-cert-auth",
        "--trusted-ca-file",
        at("ca.pem"),
      ],
      "https",
    );
    const trusting = { store: "etcd", endpoints: [etcd.url], ca: text("ca.pem") } as const;
    const mine = { cert: text("host.pem"), key: text("host.key") };
    const { ask } = hostOn(t, { options: { ...trusting, ...mine } }).open();
    await until(() => ask("create", { key: "a", value: 1 }).then(Boolean, () => false), "etcd to answer", 10_000);
    const strange = await rejection(
      hostOn(t, { options: { ...mine, store: "etcd", endpoints: [etcd.url] } })
        .open()
        .ask("create", { key: "b", value: 1 }),
    );
    assert.is(strange.code, "ERR_CLUSTER_FAILED", strange.message);
    assert.match(strange.message, /SELF_SIGNED|UNABLE_TO|CERT/);
    const bare = await rejection(hostOn(t, { options: trusting }).open().ask("get", { key: "a" }));
    assert.is(bare.code, "ERR_CLUSTER_FAILED", bare.message);
  },
  needs,
);

test("the option: endpoints are origins, with TLS unless they are loopback; nothing secret is shown", () => {
  const problem = (cluster: unknown): string => thrown(() => checkOptions({ plugins: "p", cluster })).message;
  const etcd = (change: object): unknown => ({ store: "etcd", endpoints: ["https://10.0.0.1:2379"], ...change });
  for (const endpoint of [
    "http://10.0.0.1:2379",
    "https://user:pass@10.0.0.1:2379",
    "https://10.0.0.1/path",
    "ftp://127.0.0.1",
    "x",
    "",
  ])
    assert.match(problem(etcd({ endpoints: [endpoint] })), /endpoints\.0: must be as https/);
  for (const cluster of [
    etcd({}),
    etcd({ endpoints: ["http://127.0.0.1:2379", "http://[::1]:2379", "http://localhost:2379"] }),
    { store: "memory" },
  ])
    assert.ok(checkOptions({ plugins: "p", cluster }));
  assert.match(problem(etcd({ endpoints: [] })), /endpoints/);
  assert.match(problem(etcd({ prefix: "../x/" })), /prefix/);
  assert.match(problem(etcd({ cert: "secret" })), /cert and key/);
  assert.match(problem(etcd({ user: "root" })), /user and password/);
  assert.match(problem({ store: "consul" }), /store/);
  assert.match(problem(7), /cluster/);
  assert.not.match(problem(etcd({ password: "secret", extra: "secret" })), /secret/);
});

test.run();
