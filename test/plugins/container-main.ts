/** The process of a test's container: orders on standard input, each with a reply. */
import { createSocket } from "node:dgram";
import { connect, isIPv6, type Socket } from "node:net";
import { createInterface } from "node:readline";
import packet from "dns-packet";
import type { Orders, Resolved, Results } from "./container.js";

const GATEWAY = "10.64.1.1";
let stream: Socket | undefined;
let bytes = 0;

const work: { readonly [K in keyof Orders]: (what: Orders[K]) => Promise<Results[K]> } = {
  resolve: ({ name, type = "A", server = GATEWAY, tcp = false, ms = 3000 }) => {
    const id = Math.floor(Math.random() * 65_536);
    const query = { type: "query" as const, id, flags: 256, questions: [{ name, type }] };
    return new Promise((resolve) => {
      const none: Resolved = { rcode: "none", data: [], ttl: 0 };
      const read = (answer: Uint8Array): Resolved => {
        const read = packet.decode(Buffer.from(answer));
        const records = (read.answers ?? []) as readonly { type: string; data: string; ttl?: number }[];
        const addresses = records.filter((one) => one.type === type);
        const { rcode = "" } = read as { rcode?: string };
        return { rcode, data: addresses.map(({ data }) => data), ttl: addresses[0]?.ttl ?? 0 };
      };
      if (tcp) {
        const socket = connect(53, server, () => socket.write(packet.streamEncode(query)));
        let got = Buffer.alloc(0);
        socket.on("data", (piece) => {
          got = Buffer.concat([got, piece]);
          if (got.length < 2 || got.length < 2 + got.readUInt16BE()) return;
          resolve(read(got.subarray(2)));
          socket.destroy();
        });
        socket.on("error", () => resolve(none)).on("close", () => resolve(none));
        socket.setTimeout(ms, () => socket.destroy());
        return;
      }
      const socket = createSocket(isIPv6(server) ? "udp6" : "udp4");
      const done = (result: Resolved): void => {
        clearTimeout(late);
        socket.close();
        resolve(result);
      };
      const late = setTimeout(() => done(none), ms);
      socket.once("message", (answer) => done(read(answer))).on("error", () => {});
      socket.send(packet.encode(query), 53, server);
    });
  },
  call: ({ ip, port, protocol = "tcp", ms = 3000 }) =>
    new Promise((resolve) => {
      if (protocol === "udp") {
        const socket = createSocket(isIPv6(ip) ? "udp6" : "udp4");
        const done = (text: string): void => {
          clearTimeout(late);
          socket.close();
          resolve(text);
        };
        const late = setTimeout(() => done("nothing"), ms);
        socket.once("message", (answer) => done(String(answer))).on("error", () => {});
        socket.send("hello", port, ip, () => {});
        return;
      }
      let text = "";
      const socket = connect(port, ip);
      socket.on("data", (piece) => {
        text += String(piece);
      });
      socket
        .on("end", () => resolve(text))
        .on("error", ({ message }) => resolve(/E[A-Z]+/.exec(message)?.[0] ?? message));
      socket.setTimeout(ms, () => {
        socket.destroy();
        resolve("nothing");
      });
    }),
  stream: ({ ip, port }) =>
    new Promise((resolve) => {
      const socket = connect(port, ip, () => resolve(true));
      stream = socket;
      const timer = setInterval(() => socket.write("x"), 20);
      socket.on("data", (piece) => {
        bytes += piece.length;
      });
      socket
        .on("error", () => {})
        .on("close", () => {
          clearInterval(timer);
          resolve(false);
        });
    }),
  streamed: async () => {
    const result = { bytes, open: stream !== undefined && !stream.destroyed };
    bytes = 0;
    return result;
  },
  connects: async ({ name, server, port, times, anew = false }) => {
    const took: number[] = [];
    const letters = (): string => name.replace(/[a-z]/g, (one) => (Math.random() < 0.5 ? one : one.toUpperCase()));
    for (let n = 0; n < times; n++) {
      const written = anew ? letters() : name;
      const began = performance.now();
      const { rcode, data } = await work.resolve({ name: written, server });
      const [ip] = data;
      if (ip === undefined) throw new Error(`${name}: ${rcode}`);
      await new Promise<void>((resolve, reject) => {
        const socket = connect(port, ip, () => {
          took.push(performance.now() - began);
          socket.destroy();
          resolve();
        });
        socket.on("error", reject);
      });
    }
    return took.sort((a, b) => a - b)[times >> 1] ?? 0;
  },
  download: ({ ip, port, ms }) =>
    new Promise((resolve, reject) => {
      let got = 0;
      const socket = connect(port, ip, () => {
        const began = performance.now();
        setTimeout(() => {
          socket.destroy();
          resolve(got / (performance.now() - began));
        }, ms);
      });
      socket.on("error", reject).on("data", (piece) => {
        got += piece.length;
      });
    }),
  flood: ({ server, messages, times }) =>
    new Promise((resolve) => {
      const socket = createSocket("udp4");
      socket.on("error", () => {});
      const all = messages.map((one) => Buffer.from(one, "base64"));
      let left = times;
      const round = (): void => {
        for (const one of all) socket.send(one, 53, server, () => {});
        if (--left > 0) setImmediate(round);
        else {
          socket.close();
          resolve(true);
        }
      };
      round();
    }),
};

createInterface({ input: process.stdin }).on("line", (line) => {
  const { id, order, what } = JSON.parse(line) as { id: number; order: keyof Orders; what: never };
  void work[order](what).then((result) => process.stdout.write(`${JSON.stringify({ id, result })}\n`));
});
