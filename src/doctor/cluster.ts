/** Checks the store that hosts share: whether each member answers, and whether this host's account may read. Changes nothing. */
import { messageOf } from "../common/text.js";
import { rangeOf } from "../permissions/cluster/backend.js";
import { EtcdStore } from "../permissions/cluster/etcd/etcd-store.js";
import { askMembers, type Member } from "../permissions/cluster/etcd/members.js";
import { CLUSTER } from "../permissions/cluster/limits.js";
import { CLUSTER_PREFIX, type ClusterOptions, type EtcdOptions } from "../permissions/cluster/options.js";
import type { CheckResult, CheckRow } from "./check-result.js";
import type { Finding } from "./network/judge.js";

/** The first version whose gateway serves `/v3`. */
const OLDEST = [3, 4] as const;

interface ClusterCheck extends CheckRow {
  find(options: EtcdOptions): Promise<Finding>;
}

/** In the order they are listed. */
const CLUSTER_CHECKS: readonly ClusterCheck[] = [
  {
    name: "cluster.members",
    tries: "ask each member of etcd for its version",
    find: async (options) => judgeMembers(await askMembers(options, CLUSTER)),
  },
  { name: "cluster.read", tries: "read the keys of Bulkhead's as this host's account", find: tryRead },
];

/** Checks the store. `options`: undefined if none was named; `granted`: the policy grants `cluster`. Does not reject. */
export function checkCluster(options: ClusterOptions | undefined, granted: boolean): Promise<readonly CheckResult[]> {
  return Promise.all(
    CLUSTER_CHECKS.map(async ({ name, tries, find }) => {
      const found = options?.store === "etcd" ? await find(options) : notEtcd(options, granted);
      const { holds, evidence } = found;
      const fix = found.holds === "no" ? found.fix : null;
      return { name, tries, demanded: granted, holds, evidence, fix };
    }),
  );
}

/** Judges what the members of one etcd answered. */
export function judgeMembers(members: readonly Member[]): Finding {
  const silent = members.filter(({ status }) => status === undefined);
  if (silent.length > 0) {
    const words = silent.map(({ endpoint, problem = "no answer" }) => `${endpoint}: ${problem}`).join("; ");
    return no(
      words,
      "start etcd, 3.4 or later, on these members, or correct their endpoints and this host's certificates",
    );
  }
  const known = members.flatMap(({ endpoint, status }) => (status ? [{ endpoint, ...status }] : []));
  const old = known.filter(({ version }) => isOld(version));
  if (old.length > 0)
    return no(
      listed(old.map(({ endpoint, version }) => `${endpoint} is etcd ${version}`)),
      "upgrade them to etcd 3.4 or later",
    );
  const alone = known.filter(({ leader }) => !leader);
  if (alone.length > 0)
    return no(
      `no leader: ${listed(alone.map(({ endpoint }) => endpoint))}`,
      "start most of etcd's members, and connect them",
    );
  if (new Set(known.map(({ clusterId }) => clusterId)).size > 1)
    return no(
      `several clusters: ${listed(known.map(({ endpoint, clusterId }) => `${endpoint} is of ${clusterId}`))}`,
      "name the members of one cluster alone",
    );
  return { holds: "yes", evidence: listed(known.map(({ endpoint, version }) => `${endpoint} is etcd ${version}`)) };
}

async function tryRead(options: EtcdOptions): Promise<Finding> {
  const { prefix = CLUSTER_PREFIX } = options;
  const store = new EtcdStore(options, CLUSTER);
  try {
    const { revision } = await store.read(rangeOf(`${prefix}/`), { limit: 1, names: true });
    return { holds: "yes", evidence: `what is below ${prefix}/ was read, at revision ${revision}` };
  } catch (error) {
    const fix = `start most of etcd's members, and give this host's account read and write permission for keys that begin with ${prefix}/`;
    return no(messageOf(error), fix);
  } finally {
    await store.close();
  }
}

function notEtcd(options: ClusterOptions | undefined, granted: boolean): Finding {
  if (options) return { holds: "skipped", evidence: `the store "${options.store}" is this host's own` };
  return {
    holds: "skipped",
    evidence: granted ? "no store was named; name its file with --cluster" : 'the policy grants no plugin "cluster"',
  };
}

function isOld(version: string): boolean {
  const [major = 0, minor = 0] = version.split(".").map(Number);
  return major < OLDEST[0] || (major === OLDEST[0] && minor < OLDEST[1]);
}

function no(evidence: string, fix: string): Finding {
  return { holds: "no", evidence, fix };
}

function listed(words: readonly string[]): string {
  return words.join(", ");
}
