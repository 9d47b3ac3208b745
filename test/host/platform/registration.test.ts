/** Registering drivers: the host's rules, the platform's callback, `config`. Both sides see why a driver is refused. */
import { setTimeout as sleep } from "node:timers/promises";
import {
  type Capability,
  DRIVER_METHODS,
  EndpointConfig,
  type HostedDriver,
  JoinConfig,
  type PlatformCallback,
} from "#dist/index.js";
import { assert, rejection, suite } from "../../harness.js";
import { hear, house, next, row, thrown } from "../../kit/host.js";
import { driver, plugin } from "../../kit/plugins.js";

const test = suite("host: registration");

/** A plugin that registers `good`, then tries `body`, and keeps serving; the log tells what the author saw. */
function trying(good: string, body: string): string {
  return `export async function init(callback) {
    await callback.registerDriver("${good}", ${driver(good)}, { scope: "local" });
    try { ${body} } catch (error) { console.log(error.code + " | " + error.message); }
  }`;
}

const REFUSED: ReadonlyArray<{ what: string; manifest?: object; body: string; code: string; says: RegExp }> = [
  {
    what: "a scope above the grant",
    manifest: { networkTypes: ["a", "b"] },
    body: `await callback.registerDriver("b", ${driver("b")}, { scope: "global" })`,
    code: "ERR_SCOPE_NOT_GRANTED",
    says: /driver "b" asks for scope "global"; plugin "a" is granted "local"/,
  },
  {
    what: "a type that is not declared",
    body: `await callback.registerDriver("b", ${driver("b")}, { scope: "local" })`,
    code: "ERR_TYPE_NOT_DECLARED",
    says: /plugin "a" may register "a", not "b"; add it to networkTypes/,
  },
  {
    what: "a type taken by itself",
    body: `await callback.registerDriver("a", ${driver("a")}, { scope: "local" })`,
    code: "ERR_DRIVER_EXISTS",
    says: /Driver already registered for type "a"/,
  },
  {
    what: "one too many",
    manifest: { networkTypes: ["a", "b"], limits: { drivers: 1 } },
    body: `await callback.registerDriver("b", ${driver("b")}, { scope: "local" })`,
    code: "ERR_DRIVER_LIMIT",
    says: /plugin "a" may register at most 1 driver/,
  },
  {
    what: "an empty name",
    body: `await callback.registerDriver("", { ...${driver("a")}, type: () => "" }, { scope: "local" })`,
    code: "ERR_TYPE_NAME",
    says: /./,
  },
  {
    what: "a dotted name",
    body: `await callback.registerDriver("a.b", ${driver("a.b")}, { scope: "local" })`,
    code: "ERR_TYPE_NAME",
    says: /a\.b/,
  },
  {
    what: "__proto__",
    body: `await callback.registerDriver("__proto__", ${driver("__proto__")}, { scope: "local" })`,
    code: "ERR_TYPE_NAME",
    says: /__proto__/,
  },
  {
    what: "a dotted name, whatever type() says",
    body: `await callback.registerDriver("a.b", ${driver("b")}, { scope: "local" })`,
    code: "ERR_TYPE_NAME",
    says: /a\.b/,
  },
  {
    what: "a type() that differs",
    manifest: { networkTypes: ["a", "b"] },
    body: `await callback.registerDriver("b", ${driver("c")}, { scope: "local" })`,
    code: "ERR_DRIVER_SHAPE",
    says: /type\(\) gives "c"/,
  },
  {
    what: "a driver without all nine methods",
    manifest: { networkTypes: ["a", "b"] },
    body: `await callback.registerDriver("b", { type: () => "b" }, { scope: "local" })`,
    code: "ERR_DRIVER_SHAPE",
    says: /no method config\(\)/,
  },
  {
    what: "an invalid scope",
    manifest: { networkTypes: ["a", "b"] },
    body: `await callback.registerDriver("b", ${driver("b")}, { scope: "swarm" })`,
    code: "ERR_BAD_CAPABILITY",
    says: /scope/,
  },
];

for (const { what, manifest, body, code, says } of REFUSED) {
  test(`refused: ${what}`, async (t) => {
    const { open, log } = await house(t, {
      "a.js": trying("a", body),
      ...(manifest ? { "a.plugin.json": JSON.stringify(manifest) } : {}),
    });
    const host = await open();
    assert.equal([row(host, "a").state, row(host, "a").drivers], ["running", ["a"]]);
    const author = log.find(
      ({ fields, text }) => fields.plugin === "a" && `${text}${JSON.stringify(fields)}`.includes(" | "),
    );
    assert.ok(author, "the author saw it");
    const words = `${author.text}${JSON.stringify(author.fields)}`;
    assert.ok(words.includes(code), words);
    const operator = log.find(({ fields }) => fields.code === code);
    assert.match(operator?.text ?? "", says);
    await host.driver("a").createNetwork("n");
  });
}

test("a driver that lies about its type, or lacks a method, is refused in the plugin", async (t) => {
  const { open } = await house(t, {
    "a.js": `export const init = (c) => c.registerDriver("a", ${driver("b")}, { scope: "local" });`,
    "b.js": `export const init = (c) => c.registerDriver("b", { ...${driver("b")}, leave: undefined }, { scope: "local" });`,
  });
  const host = await open();
  assert.match(row(host, "a").refusal?.message ?? "", /type\(\) gives "b"; it must give the registered name/);
  assert.match(row(host, "b").refusal?.message ?? "", /has no method leave\(\)/);
});

test("each of the nine methods is required", async (t) => {
  const { open, log } = await house(t, {
    "a.js": plugin("a", {
      end: `for (const method of ${JSON.stringify(DRIVER_METHODS)}) {
        const lacking = { ...${driver("a")}, [method]: undefined };
        await callback.registerDriver("a", lacking, { scope: "local" }).catch(({ code }) => console.log("@" + method + " " + code));
      }`,
    }),
  });
  const host = await open();
  assert.is(row(host, "a").state, "running");
  assert.equal(
    log.flatMap(({ text }) => (text.startsWith("@") ? [text.slice(1)] : [])),
    DRIVER_METHODS.map((method) => `${method} ERR_DRIVER_SHAPE`),
  );
});

test("every method may be async, type() too, and may come from a class", async (t) => {
  const { open } = await house(t, {
    "a.js": `class Later {
      #seen = [];
      async #note(text) { await undefined; this.#seen.push(text); }
      async type() { return "a"; }
      async config() { await this.#note("config"); }
      async createNetwork() { await this.#note("createNetwork"); }
      async deleteNetwork() { await this.#note("deleteNetwork"); }
      async createEndpoint(nid, eid, info) { await this.#note("createEndpoint"); info.addInterface(0, "", "10.9.0.2/24", ""); }
      async deleteEndpoint() { await this.#note("deleteEndpoint"); }
      async endpointOperInfo() { await undefined; return { seen: this.#seen }; }
      async join(nid, eid, box, jinfo) { await this.#note("join"); jinfo.setGateway("10.9.0.1"); }
      async leave() { await this.#note("leave"); }
    }
    export const init = (callback) => callback.registerDriver("a", new Later(), { scope: "local" });`,
  });
  const host = await open();
  assert.is(row(host, "a").refusal, undefined);
  const served = host.driver("a");
  const [info, jinfo] = [new EndpointConfig(), new JoinConfig()];
  await served.createNetwork("n");
  await served.createEndpoint("n", "e", info);
  await served.join("n", "e", "box", jinfo);
  assert.equal([info.interfaces()[0]?.address(), jinfo.gateway()], ["10.9.0.2/24", "10.9.0.1"]);
  await served.leave("n", "e");
  assert.equal(await served.endpointOperInfo("n", "e"), {
    seen: ["config", "createNetwork", "createEndpoint", "join", "leave"],
  });
  await served.deleteEndpoint("n", "e");
  await served.deleteNetwork("n");
});

test("a type that is another plugin's id stays that plugin's, in any order of loading", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("z"),
    "a.plugin.json": JSON.stringify({ networkTypes: ["a", "z"] }),
    "z.js": plugin("z"),
  });
  const host = await open();
  assert.is(row(host, "a").state, "refused");
  assert.match(row(host, "a").refusal?.message ?? "", /id of another plugin/);
  assert.is(row(host, "z").state, "running");
});

test("a type taken by another plugin: the second is refused, the first serves", async (t) => {
  const both = JSON.stringify({ networkTypes: ["shared"] });
  const { open } = await house(t, {
    "a.js": plugin("shared"),
    "a.plugin.json": both,
    "b.js": plugin("shared"),
    "b.plugin.json": both,
  });
  const host = await open();
  const states = ["a", "b"].map((name) => row(host, name).state).sort();
  assert.equal(states, ["refused", "running"]);
  const loser = host.plugins().find(({ state }) => state === "refused");
  const winner = host.plugins().find(({ state }) => state === "running");
  assert.match(loser?.refusal?.message ?? "", /Driver already registered for type "shared"/);
  assert.not.match(
    loser?.refusal?.message ?? "",
    new RegExp(`plugin "${winner?.name}"`),
    "a plugin is not told whose it is",
  );
  assert.is(host.driver("shared").type(), "shared");
});

test("global scope, when it is asked and granted", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a", { capability: '{ scope: "global" }' }),
    "a.plugin.json": '{ "scope": "global" }',
  });
  const seen: Capability[] = [];
  const callback: PlatformCallback = { registerDriver: (_name, _driver, capability) => void seen.push(capability) };
  const host = await open({ callback, policy: { plugins: { a: { grant: { scope: "global" } } } } });
  assert.is(row(host, "a").grant?.scope, "global");
  assert.equal(seen, [{ scope: "global" }]);
});

test("a later registration goes into service, and its event says so", async (t) => {
  const { open } = await house(t, {
    "a.js": plugin("a", {
      methods: `config: () => {}, async createNetwork() {
        await callback.registerDriver("b", ${driver("b", "endpointOperInfo: () => ({ late: true }),")}, { scope: "local" });
      },`,
    }),
    "a.plugin.json": '{ "networkTypes": ["a", "b"] }',
  });
  const host = await open();
  assert.is(thrown(() => host.driver("b")).code, "ERR_DRIVER_NOT_FOUND");
  const registered = next(host, "driver:registered");
  await host.driver("a").createNetwork("n");
  assert.equal({ ...(await registered) }, { plugin: "a", type: "b", scope: "local" });
  assert.equal([...row(host, "a").drivers].sort(), ["a", "b"]);
  await host.driver("b").createNetwork("n");
});

test("the platform's callback: called after the host's own checks, with a driver and a capability", async (t) => {
  const calls: Array<readonly [string, HostedDriver, Capability]> = [];
  const callback: PlatformCallback = { registerDriver: (...args) => void calls.push(args) };
  const { open } = await house(t, {
    "a.js": trying("a", `await callback.registerDriver("b", ${driver("b")}, { scope: "local" })`),
  });
  const host = await open({ callback });
  assert.equal(
    calls.map(([name, served, capability]) => [name, served.type(), capability]),
    [["a", "a", { scope: "local" }]],
  );
  assert.is(host.driver("a"), calls[0]?.[1]);
  await calls[0]?.[1].createNetwork("n");
});

test("the platform's callback may take its time, and what it throws refuses the driver", async (t) => {
  const { open, log } = await house(t, { "a.js": plugin("a"), "b.js": plugin("b") });
  const host = await open({
    callback: {
      async registerDriver(name) {
        await sleep(20);
        if (name === "b") throw new Error("not on my watch");
      },
    },
  });
  assert.is(row(host, "a").state, "running");
  assert.is(row(host, "b").state, "refused");
  assert.match(row(host, "b").refusal?.message ?? "", /the platform refused driver "b": not on my watch/);
  assert.is(thrown(() => host.driver("b")).code, "ERR_DRIVER_NOT_FOUND");
  assert.ok(log.some(({ fields }) => fields.code === "ERR_CALLBACK_REFUSED" && fields.driver === "b"));
  const refused = next(host, "driver:refused");
  await rejection(host.reload("b"));
  assert.equal({ ...(await refused) }, { plugin: "b", type: "b", code: "ERR_CALLBACK_REFUSED" });
});

test("a reload does not ask the platform again for a type it has", async (t) => {
  let calls = 0;
  const { open } = await house(t, { "a.js": plugin("a") });
  const host = await open({ callback: { registerDriver: () => void calls++ } });
  await host.reload("a");
  assert.is(calls, 1);
});

test("config: once, with the policy's options of that type, {} without any", async (t) => {
  const start = "const seen = [];";
  const methods = "config: (options) => { seen.push(options); }, endpointOperInfo: () => ({ told: seen }),";
  const { open } = await house(t, {
    "a.js": plugin("a", { start, methods }),
    "b.js": plugin("b", { start, methods }),
  });
  const host = await open({
    policy: { plugins: { a: { options: { a: { mtu: 1500, deep: { list: [1] } }, other: { x: 1 } } } } },
  });
  for (const [type, want] of [
    ["a", [{ mtu: 1500, deep: { list: [1] } }]],
    ["b", [{}]],
  ] as const) {
    const served = host.driver(type);
    await served.createNetwork("n");
    await served.createEndpoint("n", "e", new EndpointConfig());
    assert.equal(await served.endpointOperInfo("n", "e"), { told: want });
  }
});

test("config that throws: the registration is undone, and both sides see why", async (t) => {
  const { open, log } = await house(t, {
    "a.js": `export async function init(callback) {
      const broken = ${driver("a", "config() { throw new RangeError('mtu 9 is too small'); },")};
      try { await callback.registerDriver("a", broken, { scope: "local" }); }
      catch (error) { console.log("saw " + error.code + " | " + error.message); }
      await callback.registerDriver("b", ${driver("b")}, { scope: "local" });
    }`,
    "a.plugin.json": '{ "networkTypes": ["a", "b"] }',
  });
  const host = await open();
  assert.equal([row(host, "a").state, row(host, "a").drivers], ["running", ["b"]]);
  assert.is(thrown(() => host.driver("a")).code, "ERR_DRIVER_NOT_FOUND");
  assert.ok(
    log.some((line) => line.fields.code === "ERR_CONFIG_FAILED" && /mtu 9 is too small \(a\.js:5\)/.test(line.text)),
  );
  assert.ok(log.some((line) => /saw ERR_CONFIG_FAILED \| .*mtu 9/.test(`${line.text}${JSON.stringify(line.fields)}`)));
});

test("config that throws, with no other driver: the plugin is refused and its type is free again", async (t) => {
  const place = await house(t, { "a.js": plugin("a", { methods: "config() { throw new Error('no'); }," }) });
  const host = await place.open();
  assert.is(row(host, "a").state, "refused");
  const heard = hear(host);
  await place.put({ "a.js": plugin("a") });
  await host.reload("a");
  assert.is(host.driver("a").type(), "a");
  assert.equal(
    heard.map(({ name }) => name),
    ["driver:registered", "plugin:loaded"],
  );
});

test.run();
