/** The cases of moby's own suites of plugins (docker_cli_network_unix_test.go), by their names there. */
import { assert, type Suite, type TestContext } from "../../harness.js";
import { OWN_MAC } from "./drivers.js";
import type { Play } from "./play.js";

/** What driver `odd` was given, as the engine shows it. */
async function told(play: Play, ...args: readonly string[]): Promise<Record<string, unknown>> {
  const ran = await play.engine.tryDocker(args);
  assert.not(ran.code === 0, "it tells by an error");
  const text = /remote: (\{.*\})/.exec(ran.err)?.[1];
  assert.ok(text, ran.err);
  return JSON.parse(text ?? "");
}

export function moby(test: Suite, open: () => Promise<Play>, needs: string | undefined) {
  const odd = (play: Play): readonly string[] => ["network", "create", "-d", `${play.daemon.prefix}odd`];
  const box = async (play: Play, t: TestContext, ...args: readonly string[]): Promise<string> => {
    const name = play.name("odd");
    await play.create(t, name, "odd", ...args);
    return name;
  };

  test(
    "TestDockerNetworkDriverOptions: what comes with -o arrives",
    async () => {
      const play = await open();
      const given = await told(play, ...odd(play), "-o", "opt1=drv1", "-o", "tell=createNetwork", play.name("odd"));
      assert.equal(given["com.docker.network.generic"], { opt1: "drv1", tell: "createNetwork" });
    },
    { ms: 30_000, needs },
  );

  test(
    "TestDockerNetworkIPAMMultipleNetworks: pools, gateways, ranges, auxiliary addresses",
    async () => {
      const play = await open();
      const first = ["--subnet", "10.127.0.0/24", "--ip-range", "10.127.0.128/25", "--gateway", "10.127.0.129"];
      const second = ["--subnet", "10.127.1.0/24", "--gateway", "10.127.1.5", "--aux-address", "router=10.127.1.9"];
      const given = await told(play, ...odd(play), ...first, ...second, "-o", "tell=createNetwork", "test@#$");
      const { ipv4, ipv6 } = given["com.docker.network.ipam"] as Record<"ipv4" | "ipv6", readonly { Pool: string }[]>;
      // An engine gives them in any order.
      assert.equal(
        { ipv4: [...ipv4].sort((a, b) => a.Pool.localeCompare(b.Pool)), ipv6 },
        {
          ipv4: [
            { AddressSpace: "LocalDefault", Pool: "10.127.0.0/24", Gateway: "10.127.0.129/24", AuxAddresses: {} },
            {
              AddressSpace: "LocalDefault",
              Pool: "10.127.1.0/24",
              Gateway: "10.127.1.5/24",
              AuxAddresses: { router: "10.127.1.9/24" },
            },
          ],
          ipv6: [],
        },
      );
    },
    { ms: 30_000, needs },
  );

  test(
    "TestDockerNetworkNullIPAMDriver: --ipam-driver null",
    async (t) => {
      const play = await open();
      const given = await told(
        play,
        ...odd(play),
        "--ipam-driver",
        "null",
        "-o",
        "tell=createNetwork",
        play.name("odd"),
      );
      assert.equal(given["com.docker.network.ipam"], {
        ipv4: [{ AddressSpace: "null", Pool: "0.0.0.0/0", Gateway: "", AuxAddresses: {} }],
        ipv6: [],
      });
      const name = await box(play, t, "--ipam-driver", "null");
      assert.match(await play.engine.docker("network", "inspect", name), /"Driver": "null"/);
    },
    { ms: 30_000, needs },
  );

  test(
    "TestDockerNetworkMacInspect: the MAC address that a plugin gives shows in docker inspect",
    async (t) => {
      const play = await open();
      const name = await box(play, t, "--ipam-driver", "null");
      const a = await play.engine.runIdle(play.name("box"), "--network", name);
      const shown = await play.engine.docker(
        "inspect",
        "-f",
        `{{(index .NetworkSettings.Networks "${name}").MacAddress}}`,
        a,
      );
      assert.is(shown, OWN_MAC);
    },
    { ms: 60_000, needs },
  );

  test(
    "TestDockerNetworkOverlayPortMapping: exposed ports of a driver without gateway show in docker ps",
    async (t) => {
      const play = await open();
      const name = await box(play, t);
      await play.engine.runIdle(play.name("box"), "--network", name, "--expose", "80", "--expose", "443");
      const shown = await play.engine.docker("ps", "-n", "1", "--format", "{{.Ports}}");
      assert.match(shown, /443\/tcp/);
      assert.match(shown, /80\/tcp/);
    },
    { ms: 60_000, needs },
  );

  test(
    "the ports of -p and --expose, and the sandbox, reach the driver under documented keys",
    async (t) => {
      const play = await open();
      const ports = ["--expose", "99", "-p", "8090:80", "busybox", "true"];
      const exposed = [
        { Proto: 6, Port: 80 },
        { Proto: 6, Port: 99 },
      ];
      const map = [{ Proto: 6, IP: "", Port: 80, HostIP: "", HostPort: 8090, HostPortEnd: 8090 }];
      for (const method of ["createEndpoint", "join"]) {
        const name = await box(play, t, "-o", `tell=${method}`);
        const { options, sandbox } = await told(play, "run", "--rm", "--network", name, ...ports);
        const given = options as Record<string, readonly { readonly Port: number }[]>;
        const sorted = [...(given["com.docker.network.endpoint.exposedports"] ?? [])].sort((a, b) => a.Port - b.Port);
        assert.equal(sorted, exposed, method);
        assert.equal(given["com.docker.network.portmap"], map, method);
        if (method === "join") assert.match(String(sandbox), /\/netns\/[0-9a-f]+$/);
      }
    },
    { ms: 60_000, needs },
  );

  test(
    "answers of {} alone, and capabilities with more in them than scope: created, used, removed",
    async (t) => {
      const play = await open();
      const name = await box(play, t);
      assert.is(await play.engine.docker("network", "inspect", "-f", "{{.Scope}}", name), "local");
      await play.engine.docker("run", "--rm", "--network", name, "busybox", "true");
      await play.engine.docker("network", "rm", name);
      assert.not((await play.engine.docker("network", "ls", "--format", "{{.Name}}")).split("\n").includes(name));
    },
    { ms: 60_000, needs },
  );

  test(
    "an error in CreateEndpoint or Join leaves nothing behind",
    async (t) => {
      const play = await open();
      for (const method of ["createEndpoint", "join"]) {
        const name = await box(play, t, "-o", `fail=${method}`);
        const a = play.name("box");
        const ran = await play.engine.tryDocker(["run", "--name", a, "--network", name, "busybox", "true"]);
        assert.match(ran.err, new RegExp(`${method} fails as it was told to`));
        assert.is(await play.engine.docker("network", "inspect", "-f", "{{len .Containers}}", name), "0");
        await play.engine.docker("rm", "-f", a);
        await play.engine.docker("network", "rm", name);
      }
    },
    { ms: 60_000, needs },
  );

  test(
    "TestDockerNetworkConnectDisconnect: network disconnect -f, of one that runs and of one that does not",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.engine.runIdle(play.name("box"), "--network", net.name);
      await play.engine.docker("network", "disconnect", "-f", net.name, a);
      assert.is(await play.engine.docker("network", "inspect", "-f", "{{len .Containers}}", net.name), "0");
      await play.engine.docker("network", "connect", "--ip", net.ipv4(2), net.name, a);
      assert.ok(await play.pings(a, net.ipv4(1)));
      await play.engine.docker("stop", "-t", "0", a);
      await play.engine.docker("network", "disconnect", "-f", net.name, a);
      await play.engine.docker("network", "rm", net.name);
    },
    { ms: 60_000, needs },
  );

  test(
    "the plugin is restarted between create and run",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      await play.daemon.kill("SIGTERM");
      assert.equal(await play.sockets(), []);
      await play.daemon.start();
      const a = await play.engine.runIdle(play.name("box"), "--network", net.name);
      assert.ok(await play.pings(a, net.ipv4(1)));
    },
    { ms: 60_000, needs },
  );

  test(
    "TestDockerNetworkDriverUngracefulRestart: engine and plugin killed, both started, the same --ip used again",
    async (t) => {
      const play = await open();
      const net = await play.net(t);
      const a = await play.engine.runIdle(play.name("box"), "--network", net.name, "--ip", net.ipv4(50));
      await play.daemon.kill();
      await play.engine.kill();
      await Promise.all([play.engine.start(), play.daemon.start()]);
      const b = await play.engine.runIdle(play.name("box"), "--network", net.name, "--ip", net.ipv4(50));
      assert.ok(await play.pings(b, net.ipv4(1)));
      assert.match(
        await play.engine.docker("ps", "-a", "--format", "{{.Names}} {{.Status}}"),
        new RegExp(`${a} Exited`),
      );
    },
    { ms: 90_000, needs },
  );
}
