/** Notes what one plugin uses: each request that was granted, while it is watched. */
import type { Json } from "../driverapi/json.js";
import { FIREWALL_OPS, type FirewallOp, parseRequest as parseFirewall } from "../permissions/firewall/request.js";
import { type FirewallRule, keyOf } from "../permissions/firewall/rule.js";
import type { LinkSpec } from "../permissions/netlink/link-spec.js";
import { NETLINK_OPS, type NetlinkOp, parseRequest as parseNetlink } from "../permissions/netlink/request.js";
import { parseRequest as parseTraffic, TRAFFIC_OPS, type TrafficOp } from "../permissions/traffic/request.js";
import type { TrafficShape } from "../permissions/traffic/shape.js";
import { NetlinkUse } from "./netlink-use.js";
import { noted } from "./noted.js";
import { TrafficUse } from "./traffic-use.js";
import type { StoreUsage, Usage } from "./usage.js";

/** What a plugin has from before. */
export interface Held {
  readonly links: readonly { readonly name: string; readonly spec: LinkSpec }[];
  /** Addresses and destinations of routes, in CIDR form. */
  readonly networks: readonly string[];
  readonly rules: readonly FirewallRule[];
  readonly shapes: ReadonlyMap<string, TrafficShape>;
}

/** What an observer asks its host. */
export interface ObserverHost {
  /** True while the plugin has a link of that name: a link may go without a request. */
  owns(link: string): boolean;
  /** Returns what the plugin's store holds. */
  stored(): Promise<StoreUsage>;
}

export class Observer {
  readonly #plugin: string;
  readonly #host: ObserverHost;
  readonly #links: NetlinkUse;
  readonly #shapes = new TrafficUse((link) => this.#host.owns(link));
  readonly #rules = new Set<string>();
  readonly #published = new Set<number>();
  #mostRules = 0;
  #store: StoreUsage | undefined;
  #measured: Promise<void> = Promise.resolve();

  constructor(plugin: string, host: ObserverHost) {
    this.#plugin = plugin;
    this.#host = host;
    this.#links = new NetlinkUse((name) => host.owns(name));
  }

  /** Notes what the plugin has from before it was watched. */
  hold({ links, networks, rules, shapes }: Held): void {
    this.#links.hold(links, networks);
    for (const rule of rules) this.#rule(rule);
    for (const [link, shape] of shapes) this.#shapes.note(link, shape);
    this.#measure();
  }

  /** Notes a request that was granted and carried out. Never throws. */
  note(name: string, args: readonly Json[]): void {
    const [permission, op = ""] = name.split(".");
    if (permission === "netlink" && isOneOf(NETLINK_OPS, op))
      this.#links.note(parseNetlink(this.#plugin, op as NetlinkOp, args));
    else if (permission === "firewall" && isOneOf(FIREWALL_OPS, op)) {
      const request = parseFirewall(this.#plugin, op as FirewallOp, args);
      if (request.op === "withdraw") this.#rules.delete(keyOf(request.rule));
      else if ("rule" in request) this.#rule(request.rule);
    } else if (permission === "traffic" && isOneOf(TRAFFIC_OPS, op)) {
      const request = parseTraffic(this.#plugin, op as TrafficOp, args);
      if (request.op !== "shapes") this.#shapes.note(request.op === "shape" ? request.link : undefined, request.shape);
    } else if (permission === "store") this.#measure();
  }

  /** Resolves with what was used so far. */
  async usage(): Promise<Usage> {
    await this.#measured;
    const { used } = this.#links;
    const shaped = this.#shapes.used;
    return {
      ...(used ? { netlink: used } : {}),
      ...(this.#mostRules > 0 ? { firewall: { rules: this.#mostRules, ports: [...this.#published] } } : {}),
      ...(shaped ? { traffic: shaped } : {}),
      ...(this.#store ? { store: this.#store } : {}),
    };
  }

  #rule(rule: FirewallRule): void {
    this.#rules.add(keyOf(rule));
    this.#mostRules = Math.max(this.#mostRules, this.#rules.size);
    if (rule.kind === "publish") noted(this.#published, rule.hostPort);
  }

  /** Measures the store after the requests so far; an empty one that is not used stays unnoted. */
  #measure(): void {
    this.#measured = this.#host.stored().then(
      ({ bytes, keys }) => {
        if (keys === 0 && this.#store === undefined) return;
        const { bytes: most = 0, keys: mostKeys = 0 } = this.#store ?? {};
        this.#store = { bytes: Math.max(most, bytes), keys: Math.max(mostKeys, keys) };
      },
      () => {},
    );
  }
}

function isOneOf(names: readonly string[], name: string): boolean {
  return names.includes(name);
}
