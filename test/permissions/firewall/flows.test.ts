/** UDP senders that never pause: stale entries of the kernel's keep them from no container that starts, or takes another's place. */
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { assert, suite, until } from "../../harness.js";
import { noKernel } from "../netlink/backends.js";
import { inNetns } from "./backends.js";
import { ip, nodeIn, place } from "./holder-place.js";
import { serveIn } from "./server.js";

const test = suite("permissions/firewall/flows");
const needs = noKernel ?? (program("conntrack") ? undefined : "no conntrack program (apt install conntrack)");
const SYSLOG = { bridge: "bh-a", protocol: "udp", hostPort: 8514, port: 514 } as const;

/** Sends from one port every 20 ms, and says each new answer. */
const SENDER = `
const s = require("node:dgram").createSocket("udp4");
let last = "";
s.on("message", (d) => { if (String(d) !== last) console.log(last = String(d)); }).on("error", () => {});
s.bind(4000, () => setInterval(() => s.send("x", 8514, process.argv[1]), 20));`;

for (const from of ["outside", "host"] as const) {
  test(
    `a sender ${from === "host" ? "on the host" : "outside"} reaches a container that starts after it, and the one that replaces it`,
    async (t) => {
      const { netns, box, outside, fire } = await place(t);
      const spaces = { outside, host: netns };
      ip("-n", box, "addr", "add", "10.64.1.3/24", "dev", "eth0");
      await serveIn(t, box, "udp", "10.64.1.2", 514, "first");
      await serveIn(t, box, "udp", "10.64.1.3", 514, "second");
      // As on a machine with published ports: the kernel tracks flows before the sender begins.
      await fire("publish", { ...SYSLOG, hostPort: 8515, ip: "10.64.1.2" });
      let said = "";
      const sender = nodeIn(t, spaces[from], SENDER, "192.0.2.2");
      sender.stdout?.setEncoding("utf8").on("data", (text: string) => {
        said += text;
      });
      await until(() => inNetns(netns, "conntrack", "-L").includes("dport=8514"), "the kernel's entry", 20_000);
      assert.is(said, "");
      await fire("publish", { ...SYSLOG, ip: "10.64.1.2" });
      await until(() => said.includes("first"), "the first container's answer");
      await fire("withdraw", { kind: "publish", ...SYSLOG, ip: "10.64.1.2" });
      await fire("publish", { ...SYSLOG, ip: "10.64.1.3" });
      await until(() => said.includes("second"), "the second container's answer");
    },
    { ms: 60_000, needs },
  );
}

test.run();
