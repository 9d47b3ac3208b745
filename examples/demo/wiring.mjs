/** Two network namespaces joined over the bridge driver: packets in the kernel; in the model, whether they would arrive. */
import { fileURLToPath } from "node:url";
import { EndpointConfig, JoinConfig } from "bulkhead";
import { next } from "./stage.mjs";
import { connectionsInModel } from "./wiring-model.mjs";

const TALK = fileURLToPath(new URL("./talk.mjs", import.meta.url));
const NID = "demo";

/** Makes the network and joins both namespaces to it; gives the wires that the other steps use. */
export async function network(stage) {
  const { host, ground } = stage;
  const bridge = host.driver("bridge");
  await bridge.createNetwork(NID, { "com.docker.network.generic": { subnet: "10.64.0.0/24", subnet6: "fd64::/64" } });
  const ends = [];
  for (const [at, box] of ground.boxes.entries()) {
    const eid = `endpoint-${at}`;
    const endpoint = new EndpointConfig();
    await bridge.createEndpoint(NID, eid, endpoint);
    await bridge.join(NID, eid, `/run/netns/${box}`, new JoinConfig());
    const attached = await host.attach({ type: "bridge", nid: NID, eid });
    const [one] = endpoint.interfaces();
    const plain = (cidr) => cidr.split("/")[0];
    ends.push({ eid, box, attached, 4: plain(one.address()), 6: plain(one.addressIPv6()) });
  }
  const wires = ground.backend === "kernel" ? inKernel(stage, ends) : connectionsInModel(stage, NID, ends);
  const said = ends.map((end) => `${end[4]} and ${end[6]}`).join(", ");
  return { detail: `two namespaces on one bridge${wires.where}: ${said}`, ends, wires };
}

/** Both endpoints leave and go, and the network with them. */
export async function takeDown({ host }, ends) {
  const bridge = host.driver("bridge");
  for (const { eid, attached } of ends) {
    await attached.detach();
    await bridge.leave(NID, eid);
    await bridge.deleteEndpoint(NID, eid);
  }
  await bridge.deleteNetwork(NID);
}

/** The driver's process is killed while the namespaces talk. */
export async function survive(stage, wires) {
  const { host } = stage;
  const talks = await Promise.all([4, 6].map((family) => wires.talk(family)));
  const back = next(host, "plugin:restarted", "bridge");
  stage.kill("bridge");
  const killed = performance.now();
  await back;
  const ms = Math.round(performance.now() - killed);
  const said = wires.sumUp(await Promise.all(talks.map((talk) => talk.goOn())));
  // The new worker knows the network, and still serves its calls.
  await host.driver("bridge").endpointOperInfo(NID, "endpoint-0");
  return `bridge's process was killed, its next one serves after ${ms} ms; ${said}`;
}

function inKernel(stage, [from, to]) {
  return {
    where: "",
    sumUp(sums) {
      const lines = sums.map((one) => one.lines).join(" + ");
      const gap = Math.max(...sums.map((one) => one.longestGapMs));
      return `both TCP connections went on: ${lines} lines, the longest gap ${gap} ms`;
    },
    async ping(family) {
      const lines = [];
      const which = family === 4 ? "-4" : "-6";
      const args = ["ping", which, "-c", "3", "-i", "0.2", "-W", "5", to[family]];
      await stage.run(from.box, "busybox", args, (line) => lines.push(line)).ended;
      const answered = lines.find((line) => line.includes("packets received"))?.match(/(\d+) packets received/)?.[1];
      const average = lines.find((line) => line.startsWith("round-trip"))?.match(/= [\d.]+\/([\d.]+)\//)?.[1];
      if (answered !== "3") throw new Error(lines.join("; "));
      return `${from[family]} to ${to[family]}: 3 of 3 answered, ${average} ms`;
    },
    async tcp(family) {
      const talk = await startTalk(stage, family, from, to, 1);
      const { lines } = await talk.after(100);
      return `${from[family]} to ${to[family]}: ${lines} lines there and back over one connection`;
    },
    async talk(family) {
      const talk = await startTalk(stage, family, from, to, 5);
      await talk.heard(50);
      return { goOn: () => talk.after(50) };
    },
  };
}

/** A connection on which a line goes there and back every `ms`. */
async function startTalk(stage, family, from, to, ms) {
  const port = await new Promise((resolve, reject) => {
    const server = stage.run(to.box, process.execPath, [TALK, "serve", to[family]], resolve);
    server.ended.then(() => reject(new Error("the server ended")), reject);
  });
  const lines = [];
  let heard = () => {};
  const client = stage.run(from.box, process.execPath, [TALK, "ask", to[family], port, String(ms)], (line) => {
    lines.push(line);
    heard();
  });
  const wait = (count) =>
    new Promise((resolve, reject) => {
      heard = () => lines.length >= count && resolve();
      heard();
      client.ended.then(() => reject(new Error("the connection ended")), reject);
    });
  return {
    heard: wait,
    /** Waits for `more` lines from now on, ends, and gives the sum. */
    async after(more) {
      await wait(lines.length + more);
      await client.finish();
      return JSON.parse(lines.at(-1));
    },
  };
}
