/**
 * The rules of resolver requests, each against an attack that would work without it (README.md here), checked in this order when a
 * request is about to be carried out, against a new snapshot of the namespace.
 */

import { quote } from "../../common/quote.js";
import { parseIP } from "../../driverapi/addresses.js";
import type { LinkView } from "../netlink/backend.js";
import { applyRules, type PermissionRule } from "../rule.js";
import { refused } from "./errors.js";
import { parseUpstream, type ResolverLimits } from "./grant.js";
import { RESOLVER } from "./limits.js";
import type { ResolverRequest } from "./request.js";

/** What a check may use. */
export interface Situation {
  readonly plugin: string;
  readonly limits: ResolverLimits;
  readonly links: ReadonlyMap<string, LinkView>;
  /** Returns the plugin that owns a link; undefined: the link is the machine's. */
  owner(link: string): string | undefined;
  /** The addresses at which the plugin answers. */
  readonly served: readonly string[];
}

/** One rule. */
export type Rule = PermissionRule<[request: ResolverRequest, situation: Situation]>;

/** Every rule. */
export const RULES: readonly Rule[] = [
  { id: "fields", refuses: "fields that do not exist: port, device …", check: () => undefined },
  { id: "shape", refuses: "a field that is missing or of the wrong type", check: () => undefined },
  {
    id: "bridge",
    refuses: "a bridge that is not the plugin's own, and a link that is not a bridge",
    check(request, { plugin, links, owner }) {
      if (request.op !== "listen") return undefined;
      const { bridge } = request;
      if (owner(bridge) !== plugin) return `${quote(bridge)} is not a link of plugin "${plugin}"`;
      const kind = links.get(bridge)?.kind;
      return kind === "bridge" ? undefined : `${quote(bridge)} is a ${kind ?? "link in a sandbox"}, not a bridge`;
    },
  },
  {
    id: "address",
    refuses: "an address that does not parse, or is not the bridge's own",
    check(request, { links }) {
      if (request.op === "ask") return undefined;
      try {
        if (parseIP(request.ip) === "") return "an address is asked for, not an empty string";
      } catch (error) {
        return error instanceof Error ? error.message : `${quote(request.ip)} does not parse`;
      }
      if (request.op !== "listen") return undefined;
      const { ip, bridge } = request;
      const has = links.get(bridge)?.addresses.some((one) => one.ip === ip);
      return has ? undefined : `${quote(ip)} is not an address of ${quote(bridge)}`;
    },
  },
  {
    id: "upstream",
    refuses: "a name server that is not granted",
    check(request, { limits: { upstreams } }) {
      if (request.op !== "ask") return undefined;
      const asked = parseUpstream(request.server);
      const granted = upstreams.some((text) => {
        const one = parseUpstream(text);
        return one?.ip === asked?.ip && one?.port === asked?.port;
      });
      return asked && granted ? undefined : `${quote(request.server)} is not one of ${upstreams.join(", ")}`;
    },
  },
  {
    id: "message",
    refuses: "a message that is not base64, or longer than allowed",
    check(request) {
      if (request.op !== "ask") return undefined;
      const { message } = request;
      if (!/^[A-Za-z0-9+/]*={0,2}$/.test(message)) return "the message is not base64";
      const bytes = Math.floor((message.length * 3) / 4);
      return bytes <= RESOLVER.queryBytes + 2 ? undefined : `${bytes} bytes are more than ${RESOLVER.queryBytes}`;
    },
  },
  {
    id: "max",
    refuses: "more addresses than granted",
    check(request, { served, limits: { max } }) {
      if (request.op !== "listen" || served.includes(request.ip) || served.length < max) return undefined;
      return `the plugin answers at ${served.length} addresses, and is granted ${max}`;
    },
  },
];

/** Throws `ERR_RESOLVER_REFUSED`, naming the first rule that refuses. */
export function checkRules(request: ResolverRequest, situation: Situation): void {
  applyRules(RULES, [request, situation], (rule, why) => refused(situation.plugin, request.op, rule, why));
}
