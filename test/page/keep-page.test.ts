/** A port that another program holds keeps the page away, and nothing else; the page comes when the port is free. */
import { once } from "node:events";
import { createServer } from "node:net";
import { keepPage } from "#dist/cli/serve/keep-page.js";
import { controlled } from "../control/controlled.js";
import { assert, suite, until } from "../harness.js";
import { recorder } from "../kit/logger.js";
import { plugin } from "../kit/plugins.js";

const test = suite("page/keep-page");

test("it is tried again, and one line says why", async (t) => {
  const { socket, home } = await controlled(t, { "net.js": plugin("net") });
  const squatter = createServer().listen(0, "127.0.0.1");
  await once(squatter, "listening");
  const { port } = squatter.address() as { port: number };
  const { logger, log } = recorder();
  const at = { host: "127.0.0.1", port };
  const close = keepPage({ at, control: socket, dataDir: home.path("data"), logger }, 50);
  t.cleanup(close);
  const lines = (level: string): string[] => log.filter((line) => line.level === level).map(({ text }) => text);
  await until(() => lines("error").length === 1, "the failure's line");
  squatter.close();
  await until(() => lines("info").length === 1, "the page");
  assert.equal(
    [
      /EADDRINUSE.*tried again/.test(lines("error")[0] ?? ""),
      lines("error").length,
      (await fetch(`http://127.0.0.1:${port}/`)).status,
    ],
    [true, 1, 200],
  );
  await close();
  assert.ok(await fetch(`http://127.0.0.1:${port}/`).catch((error: Error) => error.cause));
});

test.run();
