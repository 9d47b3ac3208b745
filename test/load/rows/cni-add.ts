/** CNI's ADD as a runtime sees it, a whole process; the peer is the reference `bridge` with `host-local`, on the same stage. */
import { noReference, Place } from "../../cni/place.js";
import type { Container, List } from "../../cni/runtime.js";
import { noBubblewrap } from "../../isolation/walled.js";
import type { Measure } from "../row.js";

const ADDS = 10;

const OURS: List = {
  ...{ cniVersion: "1.0.0", name: "ours" },
  plugins: [{ type: "bulkhead-bridge", ipam: { subnet: "10.64.40.0/24" } }],
};
const THEIRS: List = {
  ...{ cniVersion: "1.0.0", name: "theirs" },
  plugins: [
    {
      ...{ type: "bridge", bridge: "ref0", isGateway: true, ipMasq: true },
      ipam: { type: "host-local", subnet: "10.64.41.0/24", dataDir: "/run/host-local" },
    },
  ],
};

let opened: Promise<Place> | undefined;
let count = 0;

/** Milliseconds of an ADD: the mean of several, each for a container that is there; they are removed again. */
async function adds(place: Place, list: List, times: number): Promise<number> {
  const containers: Container[] = [];
  for (let n = 0; n < times; n++) {
    const id = `box${++count}`;
    containers.push({ id, netns: await place.container(id) });
  }
  const began = performance.now();
  for (const one of containers) await place.runtime.add(list, one);
  const ms = (performance.now() - began) / times;
  for (const one of containers) {
    await place.runtime.del(list, one);
    await place.stage.sh(`ip netns del ${one.id}`);
  }
  return ms;
}

export const cniAdd: Measure = {
  rows: [
    {
      id: "cni-add",
      what: "CNI ADD on a bridge network, as a whole process",
      ...{ peer: "reference bridge with host-local", unit: "ms", direction: "at most", bar: 1.2, aim: 1 },
    },
  ],
  seconds: 30,
  onlyNamed: true,
  lacks: () => noReference() ?? noBubblewrap,
  async round({ pair, count: amount }) {
    opened ??= Place.open();
    const place = await opened;
    const times = amount(ADDS, 2);
    return {
      "cni-add": await pair(
        () => adds(place, OURS, times),
        () => adds(place, THEIRS, times),
      ),
    };
  },
  async end() {
    await (await opened)?.close();
  },
};
