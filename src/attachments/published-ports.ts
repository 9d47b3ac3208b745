/** The published ports of a container with several attachments: one of them publishes all, and another takes over when it is removed. */
import type { Logger } from "../common/logger.js";
import { messageOf } from "../common/text.js";
import { exclusively } from "../sandbox/keyed-mutex.js";
import { type Attachment, isSame, type PortSpec, shown } from "./attachment.js";
import { portOptions, type ServedType } from "./endpoint.js";
import type { AttachmentRows } from "./rows.js";

export class PublishedPorts {
  readonly #rows: AttachmentRows;
  readonly #served: (type: string) => ServedType;
  readonly #logger: Logger;

  /** `served`: throws as `PluginHost.driver` does. */
  constructor(rows: AttachmentRows, served: (type: string) => ServedType, logger: Logger) {
    this.#rows = rows;
    this.#served = served;
    this.#logger = logger;
  }

  /** Publishes the ports, unless another attachment of the container does. Returns true if they are published through this one. */
  async publish({ driver, view }: ServedType, row: Attachment): Promise<boolean> {
    const { nid, eid, ports, container } = row;
    if (ports.length === 0) return false;
    if (!view.external) return true;
    return exclusively(`ports ${row.platform} ${container}`, async () => {
      if (this.#others(row).some((one) => one.publishes)) return false;
      await driver.programExternalConnectivity(nid, eid, portOptions(ports));
      return true;
    });
  }

  /** Publishes a container's ports through another attachment after the one that published them is removed. Logs what fails. */
  async handOver(row: Attachment): Promise<void> {
    if (!row.publishes) return;
    for (const next of this.#others(row)) {
      if (next.phase !== "live" || next.ports.length === 0) continue;
      try {
        if (!(await this.publish(this.#served(next.type), next))) return;
        this.#rows.put({ ...next, publishes: true });
        return;
      } catch (error) {
        this.#logger.warn(
          { err: error, ...shown(next) },
          `attachments: ports could not be published: ${messageOf(error)}`,
        );
      }
    }
  }

  /** The other attachments of the same container. */
  #others(row: Attachment): readonly Attachment[] {
    return this.#rows
      .all()
      .filter((one) => one.platform === row.platform && one.container === row.container && !isSame(one, row));
  }
}

/** Returns the ports that the platform itself binds. */
export function heldPorts({ ports, portsHeld }: Attachment): readonly PortSpec[] {
  return portsHeld ? ports : [];
}
