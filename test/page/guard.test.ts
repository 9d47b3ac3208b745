/** The page's server: whom it answers, what it passes on, and the token's file. */

import { createHmac, randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, readFile, rm, stat, symlink, writeFile } from "node:fs/promises";
import { request } from "node:http";
import { connect } from "node:net";
import { servePage } from "#dist/page/server.js";
import { pageToken } from "#dist/page/token.js";
import { assert, rejection, suite, type TestContext, until } from "../harness.js";
import { recorder } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";
import { type Paged, paged } from "./paged.js";

const test = suite("page/guard");

interface Reply {
  readonly status: number;
  readonly text: string;
  readonly headers: Readonly<Record<string, unknown>>;
}

function send(url: string, headers: Readonly<Record<string, string>>, method = "GET"): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const sent = request(url, { method, headers, agent: false }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => {
        text += part;
      });
      response.on("end", () => resolve({ status: response.statusCode ?? 0, text, headers: response.headers }));
    });
    sent.on("error", reject);
    sent.end();
  });
}

const served = (t: TestContext): Promise<Paged> => paged(t, { "net.js": plugin("net") });

/** Signs a request as the page does. */
function sign(token: string, method: string, path: string, time: number = Date.now()): { authorization: string } {
  const once = `${time}.${randomBytes(16).toString("base64url")}`;
  const mac = createHmac("sha256", token).update(`${once} ${method} ${path}`).digest("base64url");
  return { authorization: `Bulkhead ${once}.${mac}` };
}

const ask = (one: Paged, path: string, method = "GET"): Promise<Reply> =>
  send(one.page.url + path, sign(one.token, method, `/${path}`), method);

test("its files need no token; everything else does", async (t) => {
  const one = await served(t);
  const { url } = one.page;
  const html = await send(url, {});
  assert.is(html.status, 200);
  assert.match(String(html.headers["content-security-policy"]), /default-src 'none'/);
  assert.is(html.headers["cache-control"], "no-store");
  for (const path of ["v1/plugins", "v1/events", "history", "elsewhere", "../../package.json"]) {
    for (const headers of [{}, { authorization: `Bearer ${one.token}` }, sign("wrong", "GET", `/${path}`)]) {
      const refused = await send(url + path, headers);
      assert.is(refused.status, 401, path);
      assert.not.match(refused.text, one.token);
    }
  }
  const { plugins } = JSON.parse((await ask(one, "v1/plugins")).text);
  assert.is(plugins[0].id, "net");
  assert.equal(Object.keys(JSON.parse((await ask(one, "history")).text)), ["times", "plugins"]);
});

test("a signature is for one request, once, and for five minutes", async (t) => {
  const one = await served(t);
  const url = `${one.page.url}v1/plugins`;
  const headers = sign(one.token, "GET", "/v1/plugins");
  assert.is((await send(`${one.page.url}v1/networks`, headers)).status, 401, "another path");
  assert.is((await send(`${url}/net/restart`, headers, "POST")).status, 401, "another method");
  assert.is((await send(url, headers)).status, 200);
  assert.is((await send(url, headers)).status, 401, "again");
  for (const away of [-310_000, 310_000]) {
    const late = await send(url, sign(one.token, "GET", "/v1/plugins", Date.now() + away));
    assert.match(late.text, /clock is more than five minutes/);
  }
});

test("pipelined requests end their connection, and keep nobody else out", async (t) => {
  const one = await served(t);
  const { port } = new URL(one.page.url);
  const flood = `GET /page.js HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`.repeat(5000);
  const closed = Array.from({ length: 64 }, async () => {
    const socket = connect(Number(port), "127.0.0.1").pause();
    socket.on("error", () => {});
    socket.write(flood);
    socket.resume();
    // `once` would reject with the reset that some see.
    await new Promise((resolve) => socket.once("close", resolve));
  });
  await Promise.all(closed);
  assert.is((await ask(one, "v1/plugins")).status, 200);
});

test("a foreign Host or Origin is refused even with the token", async (t) => {
  const one = await served(t);
  const url = `${one.page.url}v1/plugins`;
  const { host } = new URL(url);
  for (const headers of [
    { host: "attacker.example" },
    { host: `attacker.example:${new URL(url).port}` },
    { host: "127.0.0.1.attacker.example" },
    { host, origin: "http://attacker.example" },
    { host, origin: "null" },
    { host, origin: `https://${host}` },
    { host, "sec-fetch-site": "cross-site" },
    { host, "sec-fetch-site": "same-site" },
  ])
    assert.is(
      (await send(url, { ...sign(one.token, "GET", "/v1/plugins"), ...headers })).status,
      403,
      JSON.stringify(headers),
    );
  for (const headers of [
    { host, origin: `http://${host}`, "sec-fetch-site": "same-origin" },
    { host: "localhost:8000", origin: "http://localhost:8000" },
    { host: "[::1]:8000" },
  ])
    assert.is(
      (await send(url, { ...sign(one.token, "GET", "/v1/plugins"), ...headers })).status,
      200,
      JSON.stringify(headers),
    );
});

test("only the operations that the page uses are passed on", async (t) => {
  const one = await served(t);
  for (const [method, path] of [
    ["POST", "v1/call"],
    ["POST", "v1/plugins/net/stop"],
    ["GET", "v1/plugins/net/restart"],
    ["POST", "v1/plugins/net/x/restart"],
    ["POST", "v1/plugins//restart"],
    ["GET", "metrics"],
    ["DELETE", "v1/plugins/net"],
    ["POST", "v1/events"],
  ] as const)
    assert.is((await ask(one, path, method)).status, 404, `${method} ${path}`);
  assert.is(JSON.parse((await ask(one, "v1/plugins/net/quarantine", "POST")).text).state, "quarantined");
  assert.is(JSON.parse((await ask(one, "v1/plugins/net/start", "POST")).text).state, "running");
  const audited = /quarantine by uid \d+ through .*control\.sock, from the page: done/;
  await until(async () => audited.test(await readFile(one.home.path("data/audit.jsonl"), "utf8")), "the audit line");
  const unknown = await ask(one, "v1/plugins/none/restart", "POST");
  assert.equal([unknown.status, JSON.parse(unknown.text).plugin], [404, "none"]);
});

test("the token's file: 0600, kept between starts; another's file, a link or other text is refused", async (t) => {
  const one = await served(t);
  const { tokenFile } = one.page;
  assert.is((await stat(tokenFile)).mode & 0o777, 0o600);
  assert.is((await readFile(tokenFile, "utf8")).trim(), one.token);
  const dataDir = one.home.path("data");
  assert.is((await pageToken(dataDir)).token, one.token);
  const refused = async (why: RegExp): Promise<void> => {
    const error = await rejection(pageToken(dataDir));
    assert.is(error.code, "ERR_OPTIONS");
    assert.match(error.message, why);
    assert.match(error.message, tokenFile);
  };
  await chmod(tokenFile, 0o640);
  await refused(/can read it/);
  await chmod(tokenFile, 0o600);
  await writeFile(tokenFile, "short\n");
  await refused(/does not hold a token/);
  await rm(tokenFile);
  await symlink("/etc/hostname", tokenFile);
  await refused(/not a regular file/);
});

test("an address that is not loopback's, or is taken, is refused", async (t) => {
  const { page, socket, home } = await served(t);
  const options = { control: socket, dataDir: home.path("data"), logger: recorder().logger };
  const open = await rejection(servePage({ ...options, at: { host: "0.0.0.0", port: 0 } }));
  assert.equal([open.code, /ssh -L/.test(open.message)], ["ERR_OPTIONS", true]);
  const port = Number(new URL(page.url).port);
  const taken = await rejection(servePage({ ...options, at: { host: "127.0.0.1", port } }));
  assert.equal([taken.code, /EADDRINUSE/.test(taken.message)], ["ERR_OPTIONS", true]);
});

test("a connection on which nothing is asked is closed without a reply", async (t) => {
  const { page } = await served(t);
  const socket = connect(Number(new URL(page.url).port), "127.0.0.1");
  let heard = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    heard += text;
  });
  await once(socket, "close");
  assert.is(heard, "");
});

test("an event stream ends with its client, and with the page's server", async (t) => {
  const one = await served(t);
  const gone = new AbortController();
  const follow = (signal?: AbortSignal) =>
    fetch(`${one.page.url}v1/events`, {
      headers: sign(one.token, "GET", "/v1/events"),
      ...(signal ? { signal } : {}),
    });
  // More than the control socket lets follow at one time: each must have ended before the next.
  for (let round = 0; round < 80; round++) {
    const aborted = new AbortController();
    const response = await follow(aborted.signal);
    assert.is(response.status, 200, `round ${round}`);
    aborted.abort();
  }
  const last = await follow(gone.signal);
  const reading = last.text().catch(() => "ended");
  await one.page.close();
  assert.is(await reading, "ended");
});

test.run();
