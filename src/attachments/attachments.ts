/**
 * Attaches containers of other platforms to networks, and records them: an executable of CNI or Podman asks once and ends, so the daemon
 * cleans up after a crash. A row is written before anything is created and removed after everything is gone.
 */

import { escapeLine } from "../common/escape.js";
import type { Logger } from "../common/logger.js";
import { messageOf } from "../common/text.js";
import { DriverError } from "../driverapi/errors.js";
import type { JsonObject } from "../driverapi/json.js";
import type { OperatorHost } from "../host/operator-host.js";
import { exclusively } from "../sandbox/keyed-mutex.js";
import { parseLinkName } from "../sandbox/plan.js";
import {
  type Attachment,
  type AttachmentKey,
  attachmentId,
  isSame,
  networkId,
  type Platform,
  shown,
  type WantedAttachment,
} from "./attachment.js";
import { brokenIn } from "./check.js";
import { createEndpoint, joinEndpoint, portOptions, removeEndpoint, type ServedType } from "./endpoint.js";
import { ensureNetwork, releaseNetwork } from "./network.js";
import { heldPorts, PublishedPorts } from "./published-ports.js";
import { ATTACHMENT_ROWS, AttachmentRows } from "./rows.js";

/** The part of the host that attachments use. */
export type AttachmentHost = Pick<OperatorHost, "driver" | "view" | "sandboxes" | "hostEnd" | "kept" | "elsewhere">;

export class Attachments {
  readonly #host: AttachmentHost;
  readonly #logger: Logger;
  readonly #rows: AttachmentRows;
  readonly #ports: PublishedPorts;

  private constructor(host: AttachmentHost, logger: Logger, rows: AttachmentRows) {
    this.#host = host;
    this.#logger = logger;
    this.#rows = rows;
    this.#ports = new PublishedPorts(rows, (type) => this.#served(type), logger);
  }

  /** Reads what an earlier run kept. Rejects with `ERR_JOURNAL_CORRUPT`. */
  static async open(host: AttachmentHost, logger: Logger): Promise<Attachments> {
    const rows = await AttachmentRows.open(host.kept(ATTACHMENT_ROWS));
    for (const row of rows.all()) host.elsewhere.set(attachmentId(row), heldPorts(row));
    return new Attachments(host, logger, rows);
  }

  /** Lists attachments, also those that are being made or undone. */
  list(platform?: Platform): readonly Attachment[] {
    return this.#rows.all().filter((row) => platform === undefined || row.platform === platform);
  }

  /**
   * Attaches a container completely, or changes nothing. What an earlier container of this name left is removed first.
   * Rejects with `ERR_SANDBOX_NOT_FOUND`, `ERR_SANDBOX_FAILED`, `ERR_SANDBOX_ATTACHED`, `ERR_INTERFACE_NAME`, `ERR_BAD_ADDRESS`,
   * `ERR_NETWORK_EXISTS`, and as the driver's methods do.
   */
  async attach(wanted: WantedAttachment): Promise<Attachment> {
    const { platform, network, container, interface: name, netns } = wanted;
    parseLinkName(name);
    const key: AttachmentKey = { platform, network: network.name, container, interface: name };
    return this.#alone(key, async () => {
      const namespace = this.#host.sandboxes.identify(netns);
      const served = this.#served(network.type);
      await this.#removeStale(key, namespace);
      const nid = networkId(platform, network);
      const row: Attachment = {
        ...{ ...key, type: network.type, nid, eid: attachmentId(key), netns, namespace, phase: "attaching", links: [] },
        ...{ gateway: "", gatewayIPv6: "", routes: wanted.routes ?? [], publishes: false },
        ...{ ports: wanted.ports ?? [], portsHeld: wanted.portsHeld ?? false },
      };
      this.#rows.put(row);
      this.#host.elsewhere.set(attachmentId(row), heldPorts(row));
      try {
        const others = (): readonly Attachment[] =>
          this.#rows.all().filter((one) => one.nid === nid && !isSame(one, row));
        await ensureNetwork(served, nid, network, others);
        const made = await this.#make(served, row, wanted);
        this.#rows.put(made);
        return made;
      } catch (error) {
        await this.#undo(row, error);
        throw error;
      }
    });
  }

  /** Returns the attachment if the container still has it as it was made. Rejects with `ERR_ATTACHMENT_NOT_FOUND`, `ERR_ATTACHMENT_BROKEN`. */
  async check(key: AttachmentKey, netns: string): Promise<Attachment> {
    return this.#alone(key, async () => {
      const row = this.#rows.get(key);
      if (row?.phase !== "live")
        throw new DriverError(
          "ERR_ATTACHMENT_NOT_FOUND",
          `container ${escapeLine(key.container, 128)} is not attached to network "${escapeLine(key.network, 64)}" as ${escapeLine(key.interface, 64)}`,
        );
      const { sandboxes } = this.#host;
      if (sandboxes.namespaceId(netns) !== row.namespace)
        throw new DriverError(
          "ERR_ATTACHMENT_BROKEN",
          `${escapeLine(netns, 256)} is not the namespace that was attached`,
        );
      const broken = brokenIn(row, await sandboxes.look(netns));
      if (broken !== undefined) throw new DriverError("ERR_ATTACHMENT_BROKEN", broken, { driver: row.type });
      return row;
    });
  }

  /**
   * Detaches a container, also if its namespace is gone or it was never attached. Resolves with false if that fails now: the log says why,
   * and it is retried until it succeeds. `namespace`: an attachment that is in another one by now is left alone.
   */
  async detach(key: AttachmentKey, namespace?: string): Promise<boolean> {
    return this.#alone(key, async () => {
      const isOther = namespace !== undefined && this.#rows.get(key)?.namespace !== namespace;
      return isOther || this.#detach(key);
    });
  }

  /** Detaches containers whose namespace is gone or whose request a crash interrupted. Resolves with their number. */
  async collect(): Promise<number> {
    let count = 0;
    for (const row of this.#rows.all()) {
      if (!this.#isLeft(row)) continue;
      await this.#alone(row, async () => {
        const now = this.#rows.get(row);
        if (!now || !this.#isLeft(now)) return;
        if (await this.#detach(row)) count++;
      });
    }
    if (count > 0)
      this.#logger.info({ attachments: count }, `attachments: ${count} that had been left behind were removed`);
    return count;
  }

  /** Runs calls for one attachment one after the other. */
  #alone<T>(key: AttachmentKey, work: () => Promise<T>): Promise<T> {
    return exclusively(`attachment ${attachmentId(key)}`, work);
  }

  /** Throws as `PluginHost.driver` does. */
  #served(type: string): ServedType {
    return { driver: this.#host.driver(type).driver, view: this.#host.view(type) };
  }

  /** True for an attachment to remove. Call it under the attachment's lock: a row that is not live then was interrupted. */
  #isLeft({ phase, netns, namespace }: Attachment): boolean {
    return phase !== "live" || this.#host.sandboxes.namespaceId(netns) !== namespace;
  }

  async #make(served: ServedType, row: Attachment, wanted: WantedAttachment): Promise<Attachment> {
    const { type, nid, eid, netns, interface: name, ports, routes } = row;
    const { addresses = [], allAddresses = false, mac = "", defaultRoute, options = {} } = wanted;
    // A driver without programExternalConnectivity takes the ports with the endpoint, if it can publish at all.
    const published: JsonObject = served.view.external ? {} : portOptions(ports);
    const all: JsonObject = { ...options, ...published };
    const interfaces = await createEndpoint(served, row, { addresses, allAddresses, mac, options: all });
    const join = await joinEndpoint(served, row, netns, interfaces, options);
    const given = defaultRoute === undefined ? {} : { defaultRoute };
    const attached = await this.#host.sandboxes.attach({ type, nid, eid, sandbox: netns, name, routes, ...given });
    const links = attached.links.map(({ id, srcName, name }) => {
      const { mac = "", ipv4 = "", ipv6 = "" } = interfaces.find((one) => one.id === id) ?? {};
      const hostEnd = this.#host.hostEnd(served.view.plugin, srcName) ?? "";
      return { name, mac, addresses: [ipv4, ipv6].filter((one) => one !== ""), hostEnd };
    });
    const made: Attachment = {
      ...{ ...row, phase: "live", links },
      ...{ gateway: join.gateway, gatewayIPv6: join.gatewayIPv6 },
    };
    if (this.#host.sandboxes.namespaceId(netns) !== row.namespace)
      throw new DriverError(
        "ERR_SANDBOX_FAILED",
        `sandbox "${escapeLine(netns, 256)}": another namespace took its place while it was attached; start the container again`,
        { driver: type },
      );
    const note = wanted.note?.(made);
    const publishes = await this.#ports.publish(served, made);
    return { ...made, publishes, ...(note ? { note } : {}) };
  }

  /** Moves a container's default routes to another attachment's gateways after the one that had them is removed. */
  async #routeAgain({ netns, namespace, gateway, gatewayIPv6, ...row }: Attachment): Promise<void> {
    if (gateway === "" && gatewayIPv6 === "") return;
    const { sandboxes } = this.#host;
    for (const next of this.#rows.all()) {
      const [link] = next.links;
      const same = next.phase === "live" && next.namespace === namespace && !isSame(next, row);
      if (!same || !link || sandboxes.namespaceId(netns) !== namespace) continue;
      const gateways = [next.gateway, next.gatewayIPv6].filter((one) => one !== "");
      await sandboxes.route(netns, link.name, gateways).catch((error: unknown) => {
        this.#logger.warn({ err: error, ...shown(next) }, `attachments: ${messageOf(error)}`);
      });
    }
  }

  /** Removes what an earlier container of the same name left. Rejects with `ERR_SANDBOX_ATTACHED` if it lives in this namespace. */
  async #removeStale(key: AttachmentKey, namespace: string): Promise<void> {
    const row = this.#rows.get(key);
    if (!row) return;
    if (row.phase === "live" && row.namespace === namespace) {
      const there = await this.#host.sandboxes.look(row.netns).catch(() => undefined);
      if (there && brokenIn(row, there) === undefined)
        throw new DriverError(
          "ERR_SANDBOX_ATTACHED",
          `container ${escapeLine(key.container, 128)} is attached already to network "${escapeLine(key.network, 64)}" as ${key.interface}; detach it first`,
          { driver: row.type },
        );
    }
    await this.#remove(row);
  }

  async #detach(key: AttachmentKey): Promise<boolean> {
    const row = this.#rows.get(key);
    if (!row) return true;
    try {
      await this.#remove(row);
      return true;
    } catch (error) {
      this.#rows.put({ ...row, phase: "detaching" });
      this.#logger.warn(
        { err: error, ...shown(row) },
        `attachments: a container could not be detached, which will be retried: ${messageOf(error)}`,
      );
      return false;
    }
  }

  async #remove(row: Attachment): Promise<void> {
    let served: ServedType | undefined;
    try {
      served = this.#served(row.type);
    } catch (error) {
      // The type has neither a plugin nor networks now, so no driver has anything to remove.
      if (!(error instanceof DriverError && error.code === "ERR_DRIVER_NOT_FOUND")) throw error;
    }
    if (served) await removeEndpoint(served, row);
    this.#rows.drop(row);
    this.#host.elsewhere.set(attachmentId(row), []);
    await this.#routeAgain(row);
    await this.#ports.handOver(row);
    if (served) await releaseNetwork(served, row.nid, () => this.#rows.all().some(({ nid }) => nid === row.nid));
  }

  /** Undoes an attachment that failed. What cannot be undone now is logged and retried. */
  async #undo(row: Attachment, cause: unknown): Promise<void> {
    this.#logger.debug(
      { err: cause, ...shown(row) },
      "attachments: a container could not be attached; what was done for it is undone",
    );
    await this.#detach(row);
  }
}
