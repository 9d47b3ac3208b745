/** Asks each member of an etcd by itself how it is: for the doctor, before any plugin depends on it. */
import { messageOf } from "../../../common/text.js";
import type { ClusterFigures } from "../limits.js";
import type { EtcdOptions } from "../options.js";
import { Gateway } from "./gateway.js";
import { type MemberStatus, readStatus } from "./wire.js";

/** What a member answered, or why it did not. */
export interface Member {
  readonly endpoint: string;
  readonly status?: MemberStatus;
  readonly problem?: string;
}

/** Resolves with every member, in the order of the endpoints. Does not reject. */
export function askMembers(options: EtcdOptions, figures: ClusterFigures): Promise<readonly Member[]> {
  return Promise.all(
    options.endpoints.map(async (endpoint): Promise<Member> => {
      const gateway = new Gateway({ ...options, endpoints: [endpoint] }, figures);
      try {
        return { endpoint, status: await gateway.post("maintenance/status", {}, { read: readStatus }) };
      } catch (error) {
        return { endpoint, problem: messageOf(error) };
      } finally {
        await gateway.close();
      }
    }),
  );
}
