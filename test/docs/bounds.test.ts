/** The pages of netlink, firewall, resolver, traffic and cluster: every method, kind and rule, in the code's order. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { CLUSTER_OPS } from "#dist/permissions/cluster/request.js";
import { RULES as CLUSTER_RULES } from "#dist/permissions/cluster/rules.js";
import { FIREWALL_OPS } from "#dist/permissions/firewall/request.js";
import { RULES as FIREWALL_RULES } from "#dist/permissions/firewall/rules.js";
import { LINK_KINDS } from "#dist/permissions/netlink/grant.js";
import { NETLINK_OPS } from "#dist/permissions/netlink/request.js";
import { RULES as NETLINK_RULES } from "#dist/permissions/netlink/rules.js";
import { RESOLVER_OPS } from "#dist/permissions/resolver/request.js";
import { RULES as RESOLVER_RULES } from "#dist/permissions/resolver/rules.js";
import { TRAFFIC_OPS } from "#dist/permissions/traffic/request.js";
import { RULES as TRAFFIC_RULES } from "#dist/permissions/traffic/rules.js";
import { SHAPE_FIELDS } from "#dist/permissions/traffic/shape.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { firstCells } from "./pages.js";

const test = suite("documentation: netlink, firewall, resolver, traffic, cluster");
const read = (name: string): string => readFileSync(join(REPO, `src/permissions/${name}/README.md`), "utf8");
/** The names of methods, without their arguments. */
const methods = (page: string): readonly string[] =>
  firstCells(page, "| method | does |").map((call) => call.replace(/\(.*$/, ""));
const ids = (rules: readonly { readonly id: string }[]): readonly string[] => rules.map(({ id }) => id);

test("netlink: every method, kind and rule", () => {
  const page = read("netlink");
  assert.equal(methods(page), [...NETLINK_OPS]);
  assert.equal(firstCells(page, "| kind | fields of its own |"), [...LINK_KINDS]);
  assert.equal(firstCells(page, "| rule | refuses | because |"), ids(NETLINK_RULES));
});

test("firewall: every method and rule", () => {
  const page = read("firewall");
  assert.equal(methods(page), [...FIREWALL_OPS]);
  assert.equal(firstCells(page, "| rule | refuses |"), ids(FIREWALL_RULES));
});

test("resolver: every method and rule", () => {
  const page = read("resolver");
  assert.equal(methods(page), [...RESOLVER_OPS, "upstreams"]);
  assert.equal(firstCells(page, "| rule | refuses |"), ids(RESOLVER_RULES));
});

test("traffic: every method, field and rule", () => {
  const page = read("traffic");
  assert.equal(methods(page), [...TRAFFIC_OPS]);
  assert.equal(firstCells(page, "| field | as | bounds | acts on |"), [...SHAPE_FIELDS]);
  assert.equal(firstCells(page, "| rule | refuses |"), ids(TRAFFIC_RULES));
});

test("cluster: every method, event and rule", () => {
  const page = read("cluster");
  assert.equal(methods(page), [...CLUSTER_OPS]);
  assert.equal(firstCells(page, "| event | says |"), ["put", "delete", "resync", "progress", "stale", "end"]);
  assert.equal(firstCells(page, "| rule | refuses |"), ids(CLUSTER_RULES));
});

test.run();
