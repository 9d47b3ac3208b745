/** Passes queries on to other servers, byte for byte, and their replies back. */
import { createSocket } from "node:dgram";
import { Resolver } from "node:dns";
import { isIPv6, connect as tcpConnect } from "node:net";
import { NAMES } from "./limits.js";

let under = 0;

/** Resolves with a server's reply; undefined if none answers in time. `to`: plain addresses; undefined: the machine's servers. */
export async function forward(
  query: Buffer,
  to: readonly string[] | undefined,
  protocol: "udp" | "tcp",
): Promise<Buffer | undefined> {
  if (under >= NAMES.forwards) return undefined;
  under++;
  try {
    for (const server of to ?? machineServers()) {
      const reply = await (protocol === "udp" ? overUdp : overTcp)(query, placeOf(server)).catch(() => undefined);
      if (reply && reply.length > 2 && reply.readUInt16BE(0) === query.readUInt16BE(0)) return reply;
    }
    return undefined;
  } finally {
    under--;
  }
}

/** Returns the machine's name servers: a new `Resolver` reads /etc/resolv.conf. */
function machineServers(): readonly string[] {
  return new Resolver().getServers();
}

interface Place {
  readonly host: string;
  readonly port: number;
}

/** Reads `192.0.2.1`, `192.0.2.1:5353`, `2001:db8::1` or `[2001:db8::1]:5353`. */
function placeOf(server: string): Place {
  if (isIPv6(server)) return { host: server, port: 53 };
  const [, bracketed, plain, port = "53"] = /^(?:\[(.*)\]|([^:]*))(?::(\d+))?$/.exec(server) ?? [];
  return { host: bracketed ?? plain ?? "", port: Number(port) };
}

function overUdp(query: Buffer, { host, port }: Place): Promise<Buffer> {
  return settled((resolve, reject) => {
    const socket = createSocket(isIPv6(host) ? "udp6" : "udp4");
    socket.on("error", reject).on("message", resolve);
    const connected = (error?: Error): void => {
      if (error) reject(error);
      else socket.send(query, (why) => why && reject(why));
    };
    // Connected: the kernel takes replies from that server only. The callback gets errors too.
    socket.connect(port, host, connected as () => void);
    return () => socket.close();
  });
}

function overTcp(query: Buffer, { host, port }: Place): Promise<Buffer> {
  return settled((resolve, reject) => {
    const socket = tcpConnect({ host, port });
    let got = Buffer.alloc(0);
    socket
      .on("error", reject)
      .on("close", () => reject(new Error("closed")))
      .on("connect", () => socket.write(framed(query)))
      .on("data", (part: Buffer) => {
        got = Buffer.concat([got, part]);
        const reply = unframed(got);
        if (reply) resolve(reply);
      });
    return () => socket.destroy();
  });
}

/**
 * Runs `work` under a deadline; calls the clean-up function that it returned as soon as it has settled or is late. The resolver's process
 * has its own copy (`resolver/server/ask.ts`), whose errors are codes.
 */
function settled(
  work: (resolve: (reply: Buffer) => void, reject: (error: Error) => void) => () => void,
): Promise<Buffer> {
  let close: (() => void) | undefined;
  let late: NodeJS.Timeout | undefined;
  return new Promise<Buffer>((resolve, reject) => {
    late = setTimeout(() => reject(new Error("late")), NAMES.forwardMs);
    close = work(resolve, reject);
  }).finally(() => {
    clearTimeout(late);
    close?.();
  });
}

/** Returns a message as TCP carries it, after its length. */
export function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(2);
  head.writeUInt16BE(message.length);
  return Buffer.concat([head, message]);
}

/** Returns the first message; undefined until it is whole. */
export function unframed(bytes: Buffer): Buffer | undefined {
  if (bytes.length < 2) return undefined;
  const end = 2 + bytes.readUInt16BE(0);
  return bytes.length < end ? undefined : bytes.subarray(2, end);
}
