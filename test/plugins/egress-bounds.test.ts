/** What one egress network may use of what all share: questions to name servers, and elements of the firewall's sets. */
import { assert, suite } from "../harness.js";
import { dataOf, egress, NETWORK, rcodeOf } from "./egress-model.js";
import { address, replyTo } from "./name-server.js";

const test = suite("plugins/egress-bounds");

test("one network has 32 look-ups under way at most; 192 names wait for them, and further ones fail at once", async (t) => {
  const one = await egress(t, { allow: "*.example.com:443" });
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  let asked = 0;
  let full = (): void => {};
  const filled = new Promise<void>((resolve) => {
    full = resolve;
  });
  const zone = Object.fromEntries(
    Array.from({ length: 225 }, (_, n) => [`n${n}.example.com`, [address("198.51.100.1")]]),
  );
  one.resolver.upstream = async ({ message }) => {
    if (++asked === 32) full();
    await opened;
    return replyTo(Buffer.from(message, "base64"), zone).toString("base64");
  };
  // One client may not have all of them outstanding.
  const ask = (n: number) => one.ask(`n${n}.example.com`, "A", {}, `10.64.1.${2 + (n % 8)}`);
  const waiting = Array.from({ length: 224 }, (_, n) => ask(n));
  await filled;
  const again = [ask(0), ask(223)];
  assert.is(rcodeOf(await ask(224)), "SERVFAIL");
  assert.is(asked, 32, "no other was asked for");
  open();
  for (const answer of await Promise.all([...waiting, ...again])) assert.equal(dataOf(answer), ["198.51.100.1"]);
  assert.is(asked, 224);
  assert.equal(dataOf(await ask(224)), ["198.51.100.1"], "that it was one too many is not remembered");
});

test("a name that no name server answers is not asked for again at once", async (t) => {
  const one = await egress(t, { allow: "a.example.com:80" });
  let asked = 0;
  one.resolver.upstream = async () => {
    asked++;
    throw new Error("down");
  };
  assert.is(rcodeOf(await one.ask("a.example.com")), "SERVFAIL");
  const before = asked;
  assert.ok(before >= 1);
  assert.is(rcodeOf(await one.ask("a.example.com")), "SERVFAIL");
  assert.is(asked, before);
});

test("a name that is listed twice, with ports that overlap, and told twice, is allowed once per port", async (t) => {
  const one = await egress(
    t,
    { ...NETWORK, allow: "a.example.com:443,a.example.com:443,*.example.com:443,a.example.com:442-443" },
    { "a.example.com": [address("198.51.100.1"), address("198.51.100.1")] },
  );
  await one.ask("a.example.com");
  assert.equal(one.allowed(), ["198.51.100.1 tcp 443", "198.51.100.1 tcp 442"]);
});

test("the firewall is asked for longer than an answer's TTL, and not for each answer", async (t) => {
  const one = await egress(
    t,
    { ...NETWORK, allow: "*.example.com:443" },
    {
      "cached.example.com": [address("198.51.100.1", 30)],
      "fresh.example.com": [address("198.51.100.2", 0)],
      "long.example.com": [address("198.51.100.3", 86_400)],
    },
  );
  const given: string[] = [];
  const { allow } = one.firewall;
  one.firewall.allow = (table, allowed) => {
    given.push(...allowed.map(({ to, seconds }) => `${to} ${seconds}`));
    return allow.call(one.firewall, table, allowed);
  };
  for (const name of ["cached", "fresh", "long"])
    for (let time = 0; time < 3; time++) assert.is(rcodeOf(await one.ask(`${name}.example.com`)), "NOERROR");
  // With the firewall's own 15 seconds.
  assert.equal(given, ["198.51.100.1 50", "198.51.100.2 25", "198.51.100.3 310"]);
  assert.is(one.asked.filter((question) => question === "fresh.example.com A").length, 3, "a TTL of 0 is not cached");
});

test.run();
