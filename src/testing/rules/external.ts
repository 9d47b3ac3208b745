/** Rules about external connectivity; a driver without the two methods passes them. */
import type { RuleRow } from "../rule.js";
import { SEED } from "../seed.js";
import type { Trial, TrialEndpoint } from "../trial.js";

export const EXTERNAL_RULES: readonly RuleRow[] = [
  {
    id: "program",
    says: "What is programmed for an endpoint can be revoked.",
    seed: SEED.program,
    try: (trial) =>
      programmed(trial, async ({ nid, eid }) => {
        await trial.driver.revokeExternalConnectivity(nid, eid);
      }),
  },
  {
    id: "program-again",
    says: "Programming again replaces what was programmed.",
    seed: SEED.program,
    try: (trial) => programmed(trial, (endpoint) => trial.program(endpoint)),
  },
  {
    id: "revoke-twice",
    says: "Revoking what is not programmed succeeds, and the endpoint can be programmed afterwards.",
    seed: SEED.revoke,
    host: "alone",
    try: (trial) =>
      programmed(trial, async (endpoint) => {
        const { nid, eid } = endpoint;
        await trial.driver.revokeExternalConnectivity(nid, eid);
        await trial.driver.revokeExternalConnectivity(nid, eid);
        await trial.program(endpoint);
      }),
  },
  {
    id: "delete-programmed",
    says: "Deleting an endpoint takes what is programmed with it: the same endpoint can be made and programmed again.",
    seed: SEED.revoke,
    try: (trial) =>
      programmed(trial, async ({ nid, eid, config }) => {
        await trial.driver.leave(nid, eid);
        await trial.driver.deleteEndpoint(nid, eid);
        const again = await trial.createEndpoint(nid, config.toJSON(), eid);
        await trial.join(again);
        await trial.program(again);
      }),
  },
  {
    id: "restart-keeps-programmed",
    says: "After a restart what was programmed can be programmed again, and revoked.",
    seed: SEED.program,
    try: (trial) =>
      programmed(trial, async (endpoint) => {
        const { nid, eid } = endpoint;
        await trial.host.kill();
        await trial.program(endpoint);
        await trial.driver.revokeExternalConnectivity(nid, eid);
        await trial.host.kill();
      }),
  },
];

/** Runs `body` with a joined, programmed endpoint, if the driver has the methods. */
async function programmed(trial: Trial, work: (endpoint: TrialEndpoint) => Promise<void>): Promise<void> {
  if (!trial.external) return;
  const { nid } = await trial.createNetwork();
  const endpoint = await trial.createEndpoint(nid);
  await trial.join(endpoint);
  await trial.program(endpoint);
  await work(endpoint);
}
