/** Docker's port map: what an endpoint wants of the host's ports; entries that are not valid are skipped. */
import { type WantedPort, wantedPorts } from "#dist/docker/port-map.js";
import type { Json } from "#dist/driverapi/json.js";
import { assert, suite } from "../harness.js";

const test = suite("docker: port map");
const wanted = (...map: readonly Json[]): readonly WantedPort[] => wantedPorts({ "com.docker.network.portmap": map });

test("protocols by number and by name, one port or a range, any address of the host", () => {
  assert.equal(
    wanted(
      { Proto: 6, HostIP: "0.0.0.0", HostPort: 8080, HostPortEnd: 8090 },
      { Proto: "udp", HostIP: "10.0.0.1", HostPort: 53 },
      { Proto: 132, HostIP: null, HostPort: 9, HostPortEnd: null },
    ),
    [
      { protocol: "tcp", hostIP: "", from: 8080, to: 8090 },
      { protocol: "udp", hostIP: "10.0.0.1", from: 53, to: 53 },
      { protocol: "sctp", hostIP: "", from: 9, to: 9 },
    ],
  );
});

test("a port that the driver chooses is not wanted", () => {
  assert.equal(wanted({ Proto: 6 }, { Proto: 6, HostPort: 0, HostPortEnd: 0 }), []);
});

test("entries of another form are skipped", () => {
  const good = { Proto: 6, HostPort: 80 };
  const odd: readonly Json[] = [
    ...[null, 5, "tcp", [good], {}],
    ...[1, "TCP", null, 6.5].map((Proto) => ({ ...good, Proto })),
    ...[-1, 65_536, 80.5, "80", true].map((HostPort) => ({ ...good, HostPort })),
    ...[-1, 65_536, "90"].map((HostPortEnd) => ({ ...good, HostPortEnd })),
    ...[5, {}, false].map((HostIP) => ({ ...good, HostIP })),
  ];
  for (const one of odd) assert.equal(wanted(one, good).length, 1, JSON.stringify(one));
  assert.equal(wantedPorts({ "com.docker.network.portmap": good }), []);
});

test.run();
