/** Answers the executables that Podman and netavark start: `create`, `setup`, `teardown`. */
import { type Attachment, networkId, type WantedAttachment } from "../attachments/attachment.js";
import type { Attachments } from "../attachments/attachments.js";
import type { ExecutableRequest, PlatformService } from "../attachments/executable.js";
import { ensureNetwork, releaseNetwork } from "../attachments/network.js";
import type { Logger } from "../common/logger.js";
import { messageOf } from "../common/text.js";
import type { z } from "../common/zod.js";
import { DriverError } from "../driverapi/errors.js";
import { isJsonObject, type Json, type JsonObject } from "../driverapi/json.js";
import type { OperatorHost } from "../host/operator-host.js";
import { Abandoned } from "./abandoned.js";
import { answeredWithin } from "./deadline.js";
import { namesByDriver } from "./names/by-driver.js";
import { NameService } from "./names/name-service.js";
import { nameNote } from "./names/note.js";
import { networkSpec } from "./network.js";
import { portSpecs } from "./ports.js";
import { givenAddresses, setupReply } from "./setup-reply.js";
import { type PodmanContainer, type PodmanNetwork, podmanContainer, podmanNetwork } from "./wire.js";
import { withSubnets } from "./with-subnets.js";

/** What a verb works with. */
interface Asked {
  readonly type: string;
  /** The path of the namespace; "" for `create`. */
  readonly netns: string;
  readonly input: Json;
  readonly attachments: Attachments;
  readonly host: OperatorHost;
  readonly names: NameService;
}

const VERBS: Readonly<Record<string, (asked: Asked) => Promise<object>>> = { create, setup, teardown };

/** Serves Podman's executables, and names on its networks. */
export function servePodman(attachments: Attachments, host: OperatorHost, logger: Logger): PlatformService {
  const names = new NameService(() => attachments.list("podman"), namesByDriver(host), logger);
  const abandoned = new Abandoned();
  return {
    // An error is a reply in netavark's form with an exit code: netavark treats an error without one as success.
    async answer(request) {
      try {
        const output = await carryOut(request, { attachments, host, names });
        return { exit: 0, output: JSON.stringify(output) };
      } catch (error) {
        if (!(error instanceof DriverError)) throw error;
        return { exit: 1, output: JSON.stringify({ error: `bulkhead: ${error.message} (${error.code})` }) };
      }
    },
    async resume() {
      await names.update();
    },
    async settled() {
      for (const row of abandoned.look(attachments.list("podman"))) {
        const { container, network } = row;
        logger.warn(
          { container, network },
          "podman: a container without any process is detached: Podman has forgotten it",
        );
        await attachments.detach(row, row.namespace);
      }
      await names.update();
    },
    close: () => names.close(),
  };
}

async function carryOut(
  { driver: type, args: [verb = "", netns = ""], input }: ExecutableRequest,
  situation: Pick<Asked, "attachments" | "host" | "names">,
): Promise<object> {
  const work = Object.hasOwn(VERBS, verb) ? VERBS[verb] : undefined;
  if (!work) throw wrong(`"${verb.slice(0, 64)}" is not one of ${Object.keys(VERBS).join(", ")}`);
  return work({ type, netns, input: parsed(input), ...situation });
}

/**
 * Checks a network by creating and deleting it; its first container creates it again, to stay. The reply is the network, with subnets
 * where Podman has given none.
 */
async function create({ type, input, attachments, host }: Asked): Promise<object> {
  const network = read<PodmanNetwork>(podmanNetwork, input);
  const served = { driver: host.driver(type).driver, view: host.view(type) };
  const raw = isJsonObject(input) ? input : {};
  const whole: JsonObject = { ...raw, ...(await withSubnets(network, served.view, host)) };
  const spec = networkSpec(read<PodmanNetwork>(podmanNetwork, whole), type);
  const nid = networkId("podman", spec);
  const users = (): readonly Attachment[] => attachments.list("podman").filter((row) => row.nid === nid);
  const trial = async (): Promise<void> => {
    await ensureNetwork(served, nid, spec, users);
    await releaseNetwork(served, nid, () => users().length > 0);
  };
  await answeredWithin(trial(), { type, late: () => releaseNetwork(served, nid, () => users().length > 0) });
  return whole;
}

async function setup({ type, netns, input, attachments, names }: Asked): Promise<object> {
  const container = read<PodmanContainer>(podmanContainer, input);
  const { network, network_options: asked } = container;
  const byDriver = names.byDriver(type);
  const wanted: WantedAttachment = {
    ...keyOf(container),
    ...{ network: networkSpec(network, type), netns, options: asked.options },
    ...givenAddresses(container),
    ...(asked.static_mac === "" ? {} : { mac: asked.static_mac }),
    // An internal network publishes nothing; another one of the container may.
    ports: network.internal ? [] : portSpecs(container.port_mappings),
    portsHeld: true,
    note: (made) => nameNote(container, made, byDriver) as unknown as JsonObject,
  };
  const key = { ...keyOf(container), network: network.id };
  // Meanwhile the container may have been started again, in another namespace: that stays.
  const late = ({ namespace }: Attachment): Promise<unknown> => attachments.detach(key, namespace);
  const made = await answeredWithin(attachments.attach(wanted), { type, late });
  return setupReply(container, made, { named: await names.update(), byDriver });
}

/** Detaches a container. Succeeds even if the driver fails or hangs: Podman never asks again, and the daemon retries. */
async function teardown({ type, input, attachments, names }: Asked): Promise<object> {
  const container = read<PodmanContainer>(podmanContainer, input);
  const key = { ...keyOf(container), network: container.network.id };
  await answeredWithin(attachments.detach(key), { type }).catch((error: unknown) => {
    if (!(error instanceof DriverError && error.code === "ERR_DRIVER_TIMEOUT")) throw error;
  });
  void names.update();
  return {};
}

function keyOf({ container_id, network_options: { interface_name } }: PodmanContainer) {
  return { platform: "podman", container: container_id, interface: interface_name } as const;
}

function parsed(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch (error) {
    throw wrong(`the input is not JSON: ${messageOf(error).slice(0, 200)}`);
  }
}

/** Throws `ERR_CONTROL_REQUEST`, naming the field. */
function read<T>(schema: z.ZodType<T>, value: Json): T {
  const result = schema.safeParse(value, { reportInput: false });
  if (result.success) return result.data;
  const [issue] = result.error.issues;
  const field = issue?.path.map(String).join(".").slice(0, 200) || "the input";
  throw wrong(`${field}: ${issue?.message ?? "it does not parse"}`);
}

function wrong(message: string): DriverError {
  return new DriverError("ERR_CONTROL_REQUEST", message);
}
