/**
 * How a machine's other firewalls are told of forwarded packets that our networks allow: our tables set one bit of the packet's mark,
 * and one rule at the top of the others' chain accepts what carries it.
 */

/** The bit, as `VALUE/MASK`: iptables' form, and that of an engine's `--bridge-accept-fwmark`. */
export const ACCEPT_MARK = "0x20000000/0x20000000";

/** The comment of the rule, by which it is known again. */
export const ACCEPT_COMMENT = "bulkhead: forwarded packets of its networks";

/** The chain that an engine keeps for rules of others, ahead of its own. */
export const ENGINE_CHAIN = "DOCKER-USER";

/** The programs that put the rule in, by family. */
export const IPTABLES: Readonly<Record<4 | 6, string>> = { 4: "iptables", 6: "ip6tables" };

/** The zone of firewalld's that accepts what is forwarded. */
export const FIREWALLD_ZONE = "trusted";

/** The words of the rule, behind `-I CHAIN 1` or `-D CHAIN`. */
export const ACCEPT_RULE: readonly string[] = [
  ...["-m", "mark", "--mark", ACCEPT_MARK],
  ...["-m", "comment", "--comment", ACCEPT_COMMENT],
  ...["-j", "ACCEPT"],
];
