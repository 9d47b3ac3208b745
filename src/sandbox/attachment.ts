/** Attaches a sandbox as libnetwork does after a join (move, rename, MAC, addresses, up, routes, gateways), and undoes it. */

import { messageOf } from "../common/text.js";
import { familyOf } from "../driverapi/addresses.js";
import { DriverError } from "../driverapi/errors.js";
import type { Change, LinkView, NamespaceView, NetlinkBackend, Unit } from "../permissions/netlink/backend.js";
import { netnsPath } from "../permissions/netlink/kernel/programs.js";
import { exclusively } from "./keyed-mutex.js";
import { openNamespace, type SandboxNamespace } from "./namespace.js";
import { namesFor, type PlannedLink, type SandboxPlan } from "./plan.js";
import type { AttachedSandbox } from "./sandbox.js";

/** The namespace that links come from and go back to. */
export interface HomeNamespace {
  readonly backend: NetlinkBackend;
  /** Its name or path, for a process in another namespace. */
  readonly netns: string;
  /** Returns why these links may not go into a sandbox; undefined when they may. */
  problem(links: readonly PlannedLink[]): Promise<string | undefined>;
  /** Called before a link leaves, and after it has come back. */
  moved(link: string, netns: string): Promise<void>;
  returned(link: string): Promise<void>;
  /** Tests inject their own. */
  readonly open?: ((backend: NetlinkBackend, netns: string) => SandboxNamespace) | undefined;
}

/** The process's own namespace, as another process can name it. */
export function ownNamespace(): string {
  return `/proc/${process.pid}/ns/net`;
}

/** A link being moved, and its state before. */
interface MovedLink extends PlannedLink {
  readonly name: string;
  /** Set once it has arrived. */
  was: LinkView | undefined;
}

/** A change, and its label in an error. */
type Step = readonly [label: string, change: Change];

/**
 * Attaches one endpoint to a sandbox, completely or not at all.
 * Rejects with `ERR_SANDBOX_NOT_FOUND`, and with `ERR_SANDBOX_FAILED`, which names the step and ends in `; undone` or
 * `; failed to undo: …`.
 */
export async function attach(home: HomeNamespace, sandbox: string, plan: SandboxPlan): Promise<AttachedSandbox> {
  const there = (home.open ?? openNamespace)(home.backend, sandbox);
  const mutex = netnsPath(sandbox);
  const refusal = there.isOneOf([home.netns, ownNamespace()])
    ? "it is the machine's own namespace, which a driver may not configure"
    : await home.problem(plan.links);
  if (refusal !== undefined) throw new DriverError("ERR_SANDBOX_FAILED", `sandbox "${sandbox}": ${refusal}`);
  return exclusively(mutex, async () => {
    const view = await there.look({ addresses: true, routes: true });
    const names = namesFor(plan.links, view.links.keys(), plan.name);
    const moving = plan.links.map((link, at): MovedLink => ({ ...link, name: names[at] ?? "", was: undefined }));
    const gateways = plan.gateways.filter(({ destination }) => !hasRoute(view, destination));
    const attachment: Attachment = { home, sandbox, there, moving };
    const loopback = view.links.get("lo");
    try {
      await moveIn(attachment, view);
      await runSteps(attachment, stepsFor(moving, { ...plan, gateways }, loopback?.up !== true));
    } catch (error) {
      const undone = await undo(attachment, loopback);
      const why = messageOf(error);
      throw new DriverError("ERR_SANDBOX_FAILED", `${why}; ${undone}`, { cause: error });
    }
    await there.announce(
      moving.flatMap(({ name, mac, was }) => (was === undefined ? [] : [{ name, mac: mac === "" ? was.mac : mac }])),
    );
    const via = (family: 4 | 6): string =>
      gateways.find(({ destination }) => familyOf(destination) === family)?.via ?? "";
    return {
      sandbox,
      links: moving.map(({ id, srcName, name }) => ({ id, srcName, name })),
      gateway: via(4),
      gatewayIPv6: via(6),
      detach: () => exclusively(mutex, () => moveOut(attachment)),
    };
  });
}

interface Attachment {
  readonly home: HomeNamespace;
  readonly sandbox: string;
  readonly there: SandboxNamespace;
  readonly moving: readonly MovedLink[];
}

function hasRoute({ routes }: NamespaceView, destination: string): boolean {
  return routes.some((route) => route.destination === destination && route.dev !== "lo");
}

async function moveIn({ home, sandbox, there, moving }: Attachment, before: NamespaceView): Promise<void> {
  if (moving.length === 0) return;
  for (const { srcName } of moving) await home.moved(srcName, sandbox);
  const units = moving.map(({ srcName: name }): Unit => [{ change: { op: "move", name, netns: sandbox } }]);
  try {
    const { failures } = await home.backend.apply(units);
    const at = failures.findIndex((one) => one !== undefined);
    if (at >= 0) throw failed(sandbox, `move ${moving[at]?.srcName}`, failures[at]?.words ?? "");
  } finally {
    // Runs after a failure too: the links that did arrive must go back.
    const { links } = await there.look();
    for (const one of moving) one.was = before.links.has(one.srcName) ? undefined : links.get(one.srcName);
  }
}

function stepsFor(moving: readonly MovedLink[], { routes, gateways }: SandboxPlan, loopback: boolean): readonly Step[] {
  const dev = (id: number): string => moving.find((one) => one.id === id)?.name ?? "";
  const configure = moving.flatMap(({ srcName, name, mac, addresses, was }): Step[] => [
    ...(name === srcName ? [] : [[`rename ${srcName} to ${name}`, { op: "rename", name: srcName, to: name }] as Step]),
    ...(mac === "" || mac === was?.mac ? [] : [[`give ${name} the MAC ${mac}`, { op: "mac", name, mac }] as Step]),
    ...addresses.map((address): Step => [`give ${name} the address ${address}`, { op: "addAddress", name, address }]),
    [`bring ${name} up`, { op: "up", name }],
  ]);
  const routing = [...routes, ...gateways].map(({ destination, via, id }): Step => {
    const hop = via === undefined ? "" : ` via ${via}`;
    const route = { destination, dev: dev(id), ...(via === undefined ? {} : { via }) };
    return [`set the route to ${destination}${hop} dev ${dev(id)}`, { op: "addRoute", ...route }];
  });
  const up: readonly Step[] = loopback ? [["bring lo up", { op: "up", name: "lo" }]] : [];
  return [...up, ...configure, ...routing];
}

async function runSteps({ sandbox, there }: Attachment, steps: readonly Step[]): Promise<void> {
  const failure = await there.run(steps.map(([, change]) => change));
  if (failure) throw failed(sandbox, steps[failure.at]?.[0] ?? "start", failure.words);
}

/** Moves back what has been moved; returns the outcome in words. */
async function undo(attachment: Attachment, loopback: LinkView | undefined): Promise<string> {
  try {
    await moveOut(attachment);
    if (loopback?.up === false) await runSteps(attachment, [["bring lo down", { op: "down", name: "lo" }]]);
    return "undone";
  } catch (error) {
    return `failed to undo: ${messageOf(error)}`;
  }
}

async function moveOut(attachment: Attachment): Promise<void> {
  const { home, sandbox, there, moving } = attachment;
  const links = there.exists() ? (await there.look()).links : new Map<string, LinkView>();
  for (const one of moving) {
    const { srcName, was } = one;
    // Found by index, since the link may have been renamed inside, and by its mark, since an index can be reused.
    const now = was && [...links.values()].find((link) => link.ifindex === was.ifindex && link.alias === was.alias);
    if (now) {
      const steps: readonly Step[] = [
        [`bring ${now.name} down`, { op: "down", name: now.name }],
        ...(now.mac === was.mac
          ? []
          : [[`give ${now.name} its own MAC`, { op: "mac", name: now.name, mac: was.mac }] as Step]),
        ...(now.name === srcName
          ? []
          : [[`rename ${now.name} to ${srcName}`, { op: "rename", name: now.name, to: srcName }] as Step]),
        [`move ${srcName} back`, { op: "move", name: srcName, netns: home.netns }],
      ];
      const failure = await there.run(steps.map(([, change]) => change));
      if (failure) throw failed(sandbox, steps[failure.at]?.[0] ?? "start", failure.words);
      one.was = undefined;
    }
    await home.returned(srcName);
  }
}

function failed(sandbox: string, step: string, words: string): DriverError {
  return new DriverError("ERR_SANDBOX_FAILED", `sandbox "${sandbox}": could not ${step}: ${words}`);
}
