/** Containers that start and stop in a loop, while processes are killed; and whether all is well afterwards. */
import { DOCKER } from "#dist/docker/limits.js";
import { assert, until } from "../../harness.js";
import type { Net, Play } from "./play.js";

/** How many of them the engine works on at one time: more would only wait for each other. */
const AT_ONCE = 6;

export class Churn {
  readonly #play: Play;
  readonly #names: readonly string[];
  #loops: Promise<unknown> | undefined;
  #over = false;
  /** Starts and stops that the engine says succeeded. */
  done = 0;

  private constructor(play: Play, names: readonly string[]) {
    this.#play = play;
    this.#names = names;
  }

  /** Creates `count` containers on a network. */
  static async create(play: Play, net: Net, count: number): Promise<Churn> {
    const names = Array.from({ length: count }, (_, at) => `churn-${at}`);
    for (const name of names) {
      const { status, body } = await play.engine.ask("POST", `/containers/create?name=${name}`, {
        Image: "busybox",
        Cmd: ["sleep", "1d"],
        HostConfig: { NetworkMode: net.name },
      });
      assert.is(status, 201, JSON.stringify(body));
    }
    return new Churn(play, names);
  }

  start(): void {
    this.#over = false;
    const waiting = [...this.#names];
    const running = new Set<string>();
    const loop = async (): Promise<void> => {
      while (!this.#over) {
        const name = waiting.shift();
        if (name === undefined) return;
        const path = running.has(name) ? `/containers/${name}/stop?t=0` : `/containers/${name}/start`;
        const status = await this.#play.engine.ask("POST", path).then(
          (reply) => reply.status,
          () => 0,
        );
        // 304: it was so already, because somebody was killed in between.
        if (status === 204) this.done++;
        if (status === 204 || status === 304) running.has(name) ? running.delete(name) : running.add(name);
        // With no engine, there is nothing to be asked of it more often than this.
        else await new Promise((resolve) => setTimeout(resolve, 100));
        waiting.push(name);
      }
    };
    this.#loops = Promise.all(Array.from({ length: AT_ONCE }, loop));
  }

  /** Resolves when so many more starts and stops have succeeded. */
  async goesOn(count: number): Promise<void> {
    const from = this.done;
    await until(() => this.done >= from + count, `${count} more starts and stops`, 60_000);
  }

  async stop(): Promise<void> {
    this.#over = true;
    await this.#loops;
  }

  /** Ends the loop; every container runs then. */
  async settle(): Promise<void> {
    await this.stop();
    const waiting = [...this.#names];
    const starter = async (): Promise<void> => {
      for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
        const { status, body } = await this.#play.engine.ask("POST", `/containers/${name}/start`);
        assert.ok(status === 204 || status === 304, `${name}: ${JSON.stringify(body)}`);
      }
    };
    await Promise.all(Array.from({ length: AT_ONCE }, starter));
  }
}

/**
 * Every container that the engine says is connected answers pings on both addresses, from the namespace of the bridges. One
 * packet may be lost on a busy machine, and is told of; a second is asked for in its place.
 */
export async function allAnswer(play: Play): Promise<number> {
  const addresses = (await play.running()).flatMap(({ NetworkSettings }) =>
    Object.values(NetworkSettings.Networks).flatMap(({ IPAddress, GlobalIPv6Address }) =>
      GlobalIPv6Address === "" ? [] : [IPAddress, GlobalIPv6Address],
    ),
  );
  const silent = await unanswered(play, addresses);
  if (silent.length > 0) {
    const neighbours = await play.stage.sh(silent.map((one) => `ip neigh show to ${one}`).join("\n"));
    console.log(
      `\nNOTE no answer to the first ping of ${silent.join(", ")}: ${neighbours.trim().replaceAll("\n", "; ")}`,
    );
    assert.equal(await unanswered(play, silent), [], `these did not answer: ${neighbours}`);
  }
  return addresses.length;
}

async function unanswered(play: Play, addresses: readonly string[]): Promise<readonly string[]> {
  const ping = (address: string): string => `busybox ping -c1 -W3 ${address} >/dev/null || echo ${address} &`;
  return (await play.stage.sh(`${addresses.map(ping).join("\n")}\nwait`)).split("\n").filter(Boolean);
}

/** No link, rule, socket or namespace but of what there is. */
export async function nothingOrphaned(play: Play, types: readonly string[]): Promise<void> {
  await play.served(...types);
  const { engine, stage, daemon } = play;
  const bridges = await engine.docker("network", "ls", "-q", "-f", `driver=${daemon.prefix}bridge`);
  const wanted = { bridges: lines(bridges), ends: await endpoints(play) };
  let found = "";
  const seen = async (): Promise<boolean> => {
    const all = JSON.parse(await stage.text("ip", "-json", "link", "show")) as readonly { readonly ifname: string }[];
    const links = all.map(({ ifname }) => ifname).filter((name) => name.startsWith("bh-"));
    const [own, ends] = [links.filter((name) => /^bh-b/.test(name)), links.filter((name) => /^bh-h/.test(name))];
    found = `${wanted.bridges} network(s), ${wanted.ends} endpoint(s); links: ${links.join(" ")}`;
    return own.length === wanted.bridges && ends.length === wanted.ends && links.length === own.length + ends.length;
  };
  // What the engine has forgotten is looked for now and then.
  await until(seen, "links", DOCKER.collectMs * 2 + 10_000).catch((error: Error) => {
    throw new Error(`${error.message}: ${found}`);
  });
  // The engine takes its time to remove the files; what counts is whether a namespace is held by one.
  const sandboxes = Number(await stage.sh("grep -c ' /run/docker/netns/[0-9a-f]* nsfs ' /proc/self/mounts || true"));
  assert.is(sandboxes, (await play.running()).length, "sandboxes");
  const rules = await stage.sh("nft list ruleset");
  assert.is([...rules.matchAll(/^table inet bulkhead_/gm)].length, wanted.bridges > 0 ? 1 : 0, rules);
  const published = new Set([...rules.matchAll(/dport (\d+)/g)].map(([, port]) => port));
  assert.equal([...published].sort(), await ports(play), rules);
}

/** The connections of running containers to networks of driver `bridge`. */
async function endpoints(play: Play): Promise<number> {
  return (await play.running()).flatMap(({ NetworkSettings }) =>
    Object.keys(NetworkSettings.Networks).filter((name) => !name.startsWith("odd")),
  ).length;
}

/** The ports that running containers were to publish. */
async function ports(play: Play): Promise<readonly string[]> {
  const ids = (await play.running()).map(({ Id }) => Id);
  if (ids.length === 0) return [];
  const format = "{{range .HostConfig.PortBindings}}{{(index . 0).HostPort}} {{end}}";
  return (await play.engine.docker("inspect", "-f", format, ...ids)).split(/\s+/).filter(Boolean).sort();
}

function lines(text: string): number {
  return text.split("\n").filter((line) => line.trim() !== "").length;
}
