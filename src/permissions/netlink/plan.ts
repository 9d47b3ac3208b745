/** Plans the steps that carry out a request, each with the one that undoes it. */
import type { NamespaceView, Step, Unit } from "./backend.js";
import { markOf } from "./ledger.js";
import type { LinkSettings, LinkSpec } from "./link-spec.js";
import { partsOf, removalSteps, setSteps } from "./remote-parts.js";
import type { RemoteSpec } from "./remote-spec.js";
import type { NetlinkRequest } from "./request.js";
import { MTU } from "./rules-mtu.js";

/** What a plan depends on besides the request. */
export interface PlanContext {
  readonly ledger: string;
  readonly plugin: string;
  readonly view: NamespaceView;
  /** The UDP port of a vxlan whose request does not name one. */
  readonly port: number | undefined;
  /** The recorded remote hosts of the request's link. */
  readonly remotes: readonly RemoteSpec[];
}

/**
 * Returns the steps of a request other than `deleteLink`, `links` and `remotes`. `setting`: what a new link is given before it is looked
 * at.
 */
export function planOf(request: NetlinkRequest, context: PlanContext, setting: Unit = []): Unit {
  switch (request.op) {
    case "createLink":
      return createSteps(request.link, context, setting);
    case "setLink":
      return settingSteps(request.name, request.settings, context.view);
    case "addAddress":
    case "deleteAddress":
      return [{ change: { op: request.op, name: request.name, address: request.address } }];
    case "addRoute":
    case "deleteRoute":
      return [{ change: { op: request.op, ...request.route } }];
    case "setRemote": {
      const before = context.remotes.find(({ host }) => host === request.remote.host);
      return setSteps(request.name, request.remote, before, context.view);
    }
    case "removeRemote": {
      const gone = context.remotes.filter(({ host }) => host === request.host);
      return gone.flatMap((remote) => removalSteps(partsOf(request.name, remote), context.view));
    }
    case "deleteLink":
    case "links":
    case "remotes":
      return [];
  }
}

function createSteps(spec: LinkSpec, { ledger, plugin, port }: PlanContext, setting: Unit): Unit {
  const link: LinkSpec =
    spec.kind === "vxlan" && spec.port === undefined && port !== undefined ? { ...spec, port } : spec;
  const names = link.kind === "veth" ? [link.name, link.peer] : [link.name];
  return [
    { change: { op: "add", link: withoutMtu(link) }, undo: { op: "delete", name: link.name } },
    // The kernel silently ignores an alias given at creation.
    ...names.map((name): Step => ({ change: { op: "alias", name, alias: markOf(ledger, plugin, name) } })),
    ...(link.kind === "bridge" && link.mtu !== undefined
      ? [{ change: { op: "mtu", name: link.name, mtu: link.mtu } } satisfies Step]
      : []),
    ...setting,
    ...names.map((name): Step => ({ change: { op: "look", name } })),
  ];
}

/** A bridge follows its ports' MTU until its own is changed; a value given at creation, or the present one, does not count. */
function withoutMtu(link: LinkSpec): LinkSpec {
  if (link.kind !== "bridge") return link;
  const { mtu: _, ...rest } = link;
  return rest;
}

/** One message per setting, since the kernel keeps half of a message that fails. Up and down, which lose most, come last. */
function settingSteps(name: string, { up, master, mtu, mac }: LinkSettings, view: NamespaceView): Unit {
  const before = view.links.get(name);
  const steps: Step[] = [];
  if (mtu !== undefined) {
    steps.push({ change: { op: "mtu", name, mtu }, undo: before && { op: "mtu", name, mtu: before.mtu } });
    // IPv6 returns with the kernel's defaults: a `look` step makes the link ignore router advertisements again.
    if (Math.min(mtu, before?.mtu ?? mtu) < MTU.leastIPv6) steps.push({ change: { op: "look", name } });
  }
  if (mac !== undefined) {
    steps.push({ change: { op: "mac", name, mac }, undo: before && { op: "mac", name, mac: before.mac } });
  }
  if (master !== undefined) {
    steps.push({
      change: { op: "master", name, master },
      undo: { op: "master", name, master: before?.master ?? null },
    });
  }
  if (up !== undefined) steps.push({ change: { op: up ? "up" : "down", name } });
  return steps;
}
