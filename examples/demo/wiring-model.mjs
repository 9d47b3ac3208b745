/** The same questions asked of the model: no packet moves in it, but it knows whether one would arrive. */
import { netlinkOf } from "#dist/host/plugin-host.js";

export function connectionsInModel({ host }, nid, ends) {
  const { backend } = netlinkOf(host);

  /** Why a packet would not arrive; undefined where it would. */
  async function obstacle(family) {
    const outside = (await backend.look()).links;
    const bridges = [];
    for (const [at, { eid, box, attached, [family]: ip }] of ends.entries()) {
      const inside = await backend.elsewhere(`/run/netns/${box}`).look({ addresses: true, routes: true });
      const link = inside.links.get(attached.links[0].name);
      if (!link?.up || !link.addresses.some((one) => one.ip === ip)) return `${box} has no link that is up with ${ip}`;
      const other = ends[1 - at][family];
      const network = family === 4 ? "10.64.0.0/24" : "fd64::/64";
      const routed = inside.routes.some(({ destination, dev }) => destination === network && dev === link.name);
      if (!routed) return `${box} has no route to ${other}`;
      const info = await host.driver("bridge").endpointOperInfo(nid, eid);
      const port = outside.get(info.link);
      if (!port?.up || !outside.get(port.master)?.up)
        return `the other end of ${box}'s link is on no bridge that is up`;
      bridges.push(port.master);
    }
    return bridges[0] === bridges[1] ? undefined : `${bridges.join(" and ")} are not joined`;
  }

  const reach = async (family, what) => {
    const why = await obstacle(family);
    if (why !== undefined) throw new Error(why);
    const [from, to] = ends;
    return `${from[family]} to ${to[family]}: ${what} would arrive (computed in the model, nothing was sent)`;
  };
  return {
    where: " of the model",
    sumUp: (lines) => lines.join("; "),
    ping: (family) => reach(family, "a ping"),
    tcp: (family) => reach(family, "a connection"),
    async talk(family) {
      await reach(family, "a line");
      return { goOn: () => reach(family, "a line") };
    },
  };
}
