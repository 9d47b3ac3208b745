/** A name server of the test's own, in this process or in a namespace: what it replies is set by the test. */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import packet, { type Answer, type Packet } from "dns-packet";
import type { TestContext } from "../harness.js";

/** Records by name; a name without records does not exist. */
export type Zone = Readonly<Record<string, readonly Omit<Answer, "name">[]>>;

/** Returns the reply to a question: the name's records, and those of the names that its aliases lead to. */
export function replyTo(question: Uint8Array, zone: Zone): Buffer {
  const asked = packet.decode(Buffer.from(question));
  const [first] = asked.questions ?? [];
  const answers: Answer[] = [];
  let name = first?.name.toLowerCase() ?? "";
  const exists = Object.hasOwn(zone, name);
  for (let hop = 0; hop < 8; hop++) {
    const records = zone[name] ?? [];
    const alias = records.find(({ type }) => type === "CNAME") as { data: string } | undefined;
    for (const one of records)
      if (one.type === first?.type || one.type === "CNAME") answers.push({ ...one, name } as Answer);
    if (!alias) break;
    name = alias.data;
  }
  const reply: Packet = {
    type: "response",
    id: asked.id ?? 0,
    flags: packet.RECURSION_DESIRED | packet.RECURSION_AVAILABLE | (exists ? 0 : 3),
    questions: asked.questions ?? [],
    answers,
  };
  return packet.encode(reply);
}

/** An address record. */
export function address(data: string, ttl = 60): Omit<Answer, "name"> {
  return { type: data.includes(":") ? "AAAA" : "A", ttl, data } as Omit<Answer, "name">;
}

export function alias(data: string, ttl = 60): Omit<Answer, "name"> {
  return { type: "CNAME", ttl, data } as Omit<Answer, "name">;
}

export interface NameServer {
  /** Sets what it replies; resolves when it does. */
  set(zone: Zone): Promise<void>;
  /** The questions so far: `NAME TYPE`. */
  asked(): Promise<readonly string[]>;
}

/** Serves a zone at port 53 of an address in a namespace, over UDP and TCP, until the test ends. */
export async function nameServerIn(t: TestContext, netns: string, ip: string, zone: Zone): Promise<NameServer> {
  const script = fileURLToPath(new URL("name-server-main.js", import.meta.url));
  const child = spawn("nsenter", [`--net=/run/netns/${netns}`, process.execPath, script, ip], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  t.cleanup(async () => {
    child.kill("SIGKILL");
    await ended;
  });
  const waiting: ((line: string) => void)[] = [];
  createInterface({ input: child.stdout }).on("line", (line) => waiting.shift()?.(line));
  const say = (order: object): Promise<string> =>
    new Promise((resolve) => {
      waiting.push(resolve);
      child.stdin.write(`${JSON.stringify(order)}\n`);
    });
  await say({ zone });
  return {
    set: async (next) => void (await say({ zone: next })),
    asked: async () => JSON.parse(await say({ asked: true })) as readonly string[],
  };
}
