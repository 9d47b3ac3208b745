/** Rules for names and ownership: a plugin reaches only its own links. */
import { isDeepStrictEqual } from "node:util";
import { quote } from "../../common/quote.js";
import type { LinkSpec } from "./link-spec.js";
import type { NetlinkRequest } from "./request.js";
import type { Rule } from "./rule.js";

/** Returns the names of links that a request creates. */
export function madeBy(request: NetlinkRequest): readonly string[] {
  if (request.op !== "createLink") return [];
  const { link } = request;
  return link.kind === "veth" ? [link.name, link.peer] : [link.name];
}

/** Returns the names of links that must exist and be the plugin's own. */
export function usedBy(request: NetlinkRequest): readonly string[] {
  switch (request.op) {
    case "links":
      return [];
    case "createLink":
      return request.first?.master === undefined ? [] : [request.first.master];
    case "addRoute":
    case "deleteRoute":
      return [request.route.dev];
    case "setLink": {
      const { master } = request.settings;
      return typeof master === "string" ? [request.name, master] : [request.name];
    }
    default:
      return [request.name];
  }
}

/** Longest name of a link, in bytes. */
const NAME_BYTES = 15;

/** True for a name that the plugin may give. Only plain characters: `%` is a counter, a newline or `-` begins a command. */
function isNamed(name: string, prefix: string): boolean {
  return name.length <= NAME_BYTES && name.startsWith(`${prefix}-`) && /^[a-z0-9]+-[a-z0-9]+$/.test(name);
}

export const NAME_RULES: readonly Rule[] = [
  {
    id: "kind",
    refuses: "kinds of link that are not granted; vxlan without identifiers, remotes and ports",
    check(request, { limits }) {
      if (request.op !== "createLink") return undefined;
      const { kind } = request.link;
      if (!limits.kinds.includes(kind))
        return `kind ${quote(kind)} is not granted; granted: ${limits.kinds.join(", ")}`;
      if (kind !== "vxlan") return undefined;
      const { vniFrom, vniTo, remotes, ports } = limits;
      const whole = vniFrom !== undefined && vniTo !== undefined && remotes.length > 0 && ports.length > 0;
      return whole ? undefined : `kind "vxlan" needs vniFrom, vniTo, remotes and ports in the policy's grant`;
    },
  },
  {
    id: "name",
    refuses:
      "names that are not PREFIX-[a-z0-9]+ of at most 15 bytes: of the link, its peer, its master, a route's device",
    check(request, { limits: { prefix }, own }) {
      const made = madeBy(request);
      const wrong = [...made, ...usedBy(request)].find((name) => !isNamed(name, prefix) && own(name) === undefined);
      if (wrong !== undefined) {
        return `the name ${quote(wrong)} must be "${prefix}-" and lowercase letters or digits, at most ${NAME_BYTES} bytes`;
      }
      return made.length === 2 && made[0] === made[1] ? `both ends cannot have the name ${quote(made[0])}` : undefined;
    },
  },
  {
    id: "own",
    refuses: "links of the machine or of another plugin, whatever their name",
    check(request, { view, own }) {
      const foreign = usedBy(request).find((name) => own(name) === undefined && view.links.has(name));
      return foreign === undefined ? undefined : `${quote(foreign)} is not a link this plugin made`;
    },
  },
  {
    id: "sandbox",
    refuses: "changing a link that has been moved into a sandbox",
    check(request, { own }) {
      if (request.op === "deleteLink") return undefined;
      const away = usedBy(request).find((name) => own(name)?.moved !== undefined);
      return away === undefined ? undefined : `${quote(away)} is in a sandbox, out of reach`;
    },
  },
  {
    id: "differs",
    refuses: "making a link again, differently",
    check(request, { own }) {
      if (request.op !== "createLink") return undefined;
      const row = own(request.link.name);
      if (row === undefined || sameLink(row.spec, request.link)) return undefined;
      return `${quote(request.link.name)} is there already as ${shown(row.spec)}, and ${shown(request.link)} is asked for`;
    },
  },
  {
    id: "max",
    refuses: "more links than granted",
    check(request, { limits: { max }, count, own }) {
      const more = madeBy(request).filter((name) => own(name) === undefined).length;
      return count + more <= max || more === 0
        ? undefined
        : `${count + more} links would be more than the ${max} granted`;
    },
  },
];

/** True if both describe the same link. */
function sameLink(a: LinkSpec, b: LinkSpec): boolean {
  return isDeepStrictEqual(sorted(a), sorted(b));
}

function shown(spec: LinkSpec): string {
  return JSON.stringify(sorted(spec));
}

function sorted(spec: LinkSpec): object {
  return Object.fromEntries(Object.entries(spec).sort(([a], [b]) => (a < b ? -1 : 1)));
}
