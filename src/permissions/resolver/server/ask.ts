/**
 * Asks an upstream server, from a socket of the question's own: the kernel chooses its port and drops what others send to it. The id is
 * random, and replies with another one are ignored.
 */
import { randomInt } from "node:crypto";
import { createSocket } from "node:dgram";
import { connect, isIPv6 } from "node:net";
import type { Question } from "../backend.js";
import { RESOLVER } from "../limits.js";
import { lengthPrefixed, MessageReader } from "./length-prefix.js";

/** A header's bytes, the least a message can have. */
const HEADER = 12;

/** Resolves with the reply, which has the question's own id; rejects with an error whose message is a code. */
export function ask({ server, tcp, message }: Question): Promise<Buffer> {
  const question = Buffer.from(message, "base64");
  if (question.length < HEADER || question.length > RESOLVER.queryBytes) return Promise.reject(new Error("EMSGSIZE"));
  const id = question.readUInt16BE(0);
  const sent = randomInt(0x1_0000);
  question.writeUInt16BE(sent, 0);
  const pass = (reply: Buffer): Buffer | undefined => {
    if (reply.length < HEADER || reply.readUInt16BE(0) !== sent) return undefined;
    const own = Buffer.from(reply);
    own.writeUInt16BE(id, 0);
    return own;
  };
  return (tcp ? overTcp : overUdp)({ ...server, question, pass });
}

interface Exchange {
  readonly ip: string;
  readonly port: number;
  readonly question: Buffer;
  /** Returns a reply to the question; undefined for one that is to something else. */
  pass(reply: Buffer): Buffer | undefined;
}

function overUdp({ ip, port, question, pass }: Exchange): Promise<Buffer> {
  const six = isIPv6(ip);
  const socket = createSocket({
    type: six ? "udp6" : "udp4",
    lookup: (name, _, done) => done(null, name, six ? 6 : 4),
  });
  return settled((resolve, reject) => {
    let strange = 0;
    socket.on("error", reject).on("message", (reply) => {
      const own = pass(reply);
      if (own) resolve(own);
      else if (++strange > RESOLVER.strangeReplies) reject(new Error("EBADMSG"));
    });
    const connected = (error?: Error): void => {
      if (error) reject(error);
      else socket.send(question, (why) => why && reject(why));
    };
    socket.connect(port, ip, connected as () => void);
    return () => socket.close();
  });
}

function overTcp({ ip, port, question, pass }: Exchange): Promise<Buffer> {
  const socket = connect({ host: ip, port });
  return settled((resolve, reject) => {
    const reader = new MessageReader(RESOLVER.messageBytes);
    socket
      .on("error", reject)
      .on("close", () => reject(new Error("ECONNRESET")))
      .on("connect", () => socket.write(lengthPrefixed(question)))
      .on("data", (piece) => {
        for (const reply of reader.read(piece) ?? []) {
          const own = pass(reply);
          if (own) resolve(own);
          else reject(new Error("EBADMSG"));
        }
      });
    return () => socket.destroy();
  });
}

/** Runs `work` under a deadline; calls the clean-up function that it returned as soon as it has settled or is late. */
function settled(
  work: (resolve: (reply: Buffer) => void, reject: (error: Error) => void) => () => void,
): Promise<Buffer> {
  let close: (() => void) | undefined;
  let late: NodeJS.Timeout | undefined;
  return new Promise<Buffer>((resolve, reject) => {
    late = setTimeout(() => reject(new Error("ETIMEDOUT")), RESOLVER.askMs);
    close = work(resolve, reject);
  }).finally(() => {
    clearTimeout(late);
    close?.();
  });
}
