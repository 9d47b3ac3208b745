/** Podman and daemon on one stage, opened by the first test that asks and closed by the last; networks and containers of a test. */

import { BulkheadDaemon } from "../docker/engine/daemon.js";
import { AT_OUTSIDE, openOutside } from "../docker/engine/play.js";
import type { Stage } from "../docker/engine/stage.js";
import { type TestContext, until } from "../harness.js";
import type { PodmanKind } from "./kinds.js";
import { Podman } from "./podman.js";

/** A network of driver `bridge` with both families, whose addresses no other has. */
export interface Net {
  readonly name: string;
  /** The address of a host number in it, without prefix length. */
  ipv4(host: number): string;
  ipv6(host: number): string;
}

/** An attachment, as the control socket lists it. */
export interface AttachmentRow {
  readonly container: string;
  readonly interface: string;
  readonly addresses: readonly string[];
  readonly publishes: boolean;
  readonly phase: string;
}

export class Play {
  readonly podman: Podman;
  readonly daemon: BulkheadDaemon;
  #count = 0;

  private constructor(podman: Podman) {
    this.podman = podman;
    this.daemon = new BulkheadDaemon(podman.stage, "bulkhead-");
  }

  static async open(kind: PodmanKind, own: Readonly<Record<string, string>>): Promise<Play> {
    const play = new Play(await Podman.open(kind));
    try {
      await play.daemon.prepare(own, ["egress"]);
      await play.#begin();
      await play.daemon.says("podman", "install", "--dir", play.podman.plugins, "--data-dir", play.daemon.dataDir);
      await play.podman.importImage();
      return play;
    } catch (error) {
      await play.stage.close();
      throw error;
    }
  }

  get stage(): Stage {
    return this.podman.stage;
  }

  /** The power is cut, and comes back. */
  async powerCut(): Promise<void> {
    await this.stage.powerCut(false);
    await this.#begin();
  }

  async #begin(): Promise<void> {
    await openOutside(this.stage);
    await this.stage.sh("ip link add mac0 type veth peer name far0; ip link set far0 up; ip link set mac0 up");
    await Promise.all([this.podman.begin(), this.daemon.start()]);
  }

  /** A name that no other test has. */
  name(stem: string): string {
    this.#count++;
    return `${stem}-${this.#count}`;
  }

  /** Creates a network of `bridge`, gone after the test with its containers. */
  async net(t: TestContext, ...args: readonly string[]): Promise<Net> {
    const name = this.name("net");
    const at = this.#count;
    const subnets = ["--ipv6", "--subnet", `10.64.${at}.0/24`, "--subnet", `fd64:0:0:${at}::/64`];
    await this.create(t, name, "bridge", ...subnets, ...args);
    return { name, ipv4: (host) => `10.64.${at}.${host}`, ipv6: (host) => `fd64:0:0:${at}::${host.toString(16)}` };
  }

  /** Creates a network of any of our types. */
  async create(t: TestContext, name: string, type: string, ...args: readonly string[]): Promise<void> {
    t.cleanup(() => this.podman.try(["network", "rm", "-f", "-t", "0", name]));
    await this.podman.podman("network", "create", "-d", `bulkhead-${type}`, ...args, name);
  }

  /** Runs a program in a container. True when it succeeds. */
  async does(container: string, ...command: readonly string[]): Promise<boolean> {
    return (await this.podman.try(["exec", container, ...command], 20_000)).code === 0;
  }

  async pings(from: string, to: string): Promise<boolean> {
    return this.does(from, "ping", "-c", "1", "-W", "2", to);
  }

  /** What a TCP server says to a container; "" when it is not reached. */
  async hears(from: string, address: string, port: number): Promise<string> {
    const { out } = await this.podman.try(["exec", from, "nc", "-w", "3", address, `${port}`], 20_000);
    return out.trim();
  }

  /** What a TCP server says to the host itself; "" when it is not reached. */
  async hostHears(address: string, port: number): Promise<string> {
    return (await this.stage.run(["busybox", "nc", "-w", "3", address, `${port}`], { input: "" })).out.trim();
  }

  /** What a TCP server says to the host outside; "" when it is not reached. */
  async outsideHears(address: string, port: number): Promise<string> {
    const command = [...AT_OUTSIDE, "busybox", "nc", "-w", "3", address, `${port}`];
    return (await this.stage.run(command, { input: "" })).out.trim();
  }

  /** What the daemon keeps of containers. */
  async attachments(): Promise<readonly AttachmentRow[]> {
    const socket = `${this.daemon.dataDir}/control.sock`;
    const url = "http://bulkhead/v1/attachments";
    const text = await this.stage.text("curl", "--silent", "--unix-socket", socket, url);
    return (JSON.parse(text) as { readonly attachments: readonly AttachmentRow[] }).attachments;
  }

  /** Resolves when nothing of any container is left: no attachment, link, rule or kept request. */
  async nothingLeft(ms = 20_000): Promise<void> {
    await until(async () => (await this.attachments()).length === 0, "no attachment", ms);
    await until(
      async () => (await this.stage.sh("ip -o link show | grep -cE ' (bh|eg)-' || true")) === "0",
      "no link of ours",
    );
    await until(async () => !/bulkhead/.test(await this.stage.sh("nft list ruleset")), "no rule of ours");
    const missed = await this.stage.sh(`ls -A ${this.daemon.dataDir}/control.sock.missed`);
    if (missed !== "") throw new Error(`requests are left: ${missed}`);
  }
}
