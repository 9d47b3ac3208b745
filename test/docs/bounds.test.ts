/** The pages of netlink and firewall: every method, kind and rule, in the code's order. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { FIREWALL_OPS } from "#dist/permissions/firewall/request.js";
import { RULES as FIREWALL_RULES } from "#dist/permissions/firewall/rules.js";
import { LINK_KINDS } from "#dist/permissions/netlink/grant.js";
import { NETLINK_OPS } from "#dist/permissions/netlink/request.js";
import { RULES as NETLINK_RULES } from "#dist/permissions/netlink/rules.js";
import { assert, suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import { firstCells } from "./pages.js";

const test = suite("documentation: netlink and firewall");
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

test.run();
