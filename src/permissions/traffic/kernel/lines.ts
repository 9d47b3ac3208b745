/** Shapes as lines for `ip -batch` and `tc -batch`. Every line may be repeated: what is there already is changed in place. */
import type { ShapedLink } from "../backend.js";
import { bucketOf, delayedPackets, type ShapeNumbers } from "../shape.js";

/** One line. */
export interface Line {
  /** The link it is for, by its place in the list. */
  readonly unit: number;
  readonly text: string;
  /** Words of a failure that does not count. */
  readonly forgives?: RegExp;
}

/** The lines for one run each, in this order. */
export interface Program {
  /** `ip`: makes the links that limit what comes in. */
  readonly before: readonly Line[];
  /** `tc`. */
  readonly shape: readonly Line[];
  /** `ip`: removes such links. */
  readonly after: readonly Line[];
}

/** What tc and ip say of something that is not there. */
const ABSENT =
  /handle of zero|no such file|cannot find (specified qdisc|device|qdisc)|invalid (handle|argument)|does not exist/i;
const EXISTS = /file exists/i;
/** Kernels without IPv6 have no such setting. */
const WITHOUT_IPV6 = /not supported/i;

/** Handles of the disciplines: another kind needs another one, or the kernel would not replace it. */
const BUCKET = "be01:";
const NETEM = "be02:";
const INNER = "be03:";
/** The only handle that `ingress` can have. */
const INGRESS = "ffff:";

export function programOf(links: readonly ShapedLink[]): Program {
  const program = { before: [] as Line[], shape: [] as Line[], after: [] as Line[] };
  for (const [unit, one] of links.entries()) {
    const { link, ifb, mark, shape, mtu } = one;
    const add = (to: Line[], text: string, forgives?: RegExp): void => {
      const odd = text.split(" ").find((word) => !/^[A-Za-z0-9][A-Za-z0-9:._%-]*$/.test(word));
      if (odd !== undefined) throw new Error(`${JSON.stringify(odd)} cannot be a word of a tc command`);
      to.push({ unit, text, ...(forgives === undefined ? {} : { forgives }) });
    };
    const rate = bucketWords(shape, mtu);
    const late = netemWords(shape);
    if (late !== undefined) add(program.shape, `qdisc replace dev ${link} root handle ${NETEM} ${late}`);
    if (rate === undefined) {
      if (late === undefined) add(program.shape, `qdisc delete dev ${link} root`, ABSENT);
      else add(program.shape, `qdisc delete dev ${link} parent ${NETEM}1`, ABSENT);
      add(program.shape, `qdisc delete dev ${link} ingress`, ABSENT);
      add(program.after, `link delete dev ${ifb}`, ABSENT);
      continue;
    }
    const place = late === undefined ? `root handle ${BUCKET}` : `parent ${NETEM}1 handle ${INNER}`;
    add(program.shape, `qdisc replace dev ${link} ${place} ${rate}`);
    add(program.before, `link add name ${ifb} type ifb`, EXISTS);
    add(program.before, `link set dev ${ifb} alias ${mark}`);
    add(program.before, `link set dev ${ifb} addrgenmode none`, WITHOUT_IPV6);
    add(program.before, `link set dev ${ifb} up`);
    add(program.shape, `qdisc replace dev ${ifb} root handle ${BUCKET} ${rate}`);
    add(program.shape, `qdisc replace dev ${link} handle ${INGRESS} ingress`);
    add(program.shape, redirect(link, ifb));
  }
  return program;
}

/** Returns the line that sends all that comes in by a link through another one. */
export function redirect(link: string, to: string): string {
  const every = "handle 800::800 u32 match u32 0 0";
  return `filter replace dev ${link} parent ${INGRESS} protocol all prio 1 ${every} action mirred egress redirect dev ${to}`;
}

function bucketWords(shape: ShapeNumbers, mtu: number): string | undefined {
  const bucket = bucketOf(shape, mtu);
  return bucket && `tbf rate ${bucket.rate}bit burst ${bucket.burst}b limit ${bucket.limit}b`;
}

function netemWords(shape: ShapeNumbers): string | undefined {
  const { delay, jitter, loss } = shape;
  if (delay === undefined && loss === undefined) return undefined;
  return [
    `netem limit ${delayedPackets(shape)}`,
    ...(delay === undefined ? [] : [`delay ${delay}us`]),
    ...(jitter === undefined ? [] : [`${jitter}us`]),
    ...(loss === undefined ? [] : [`loss random ${loss}%`]),
  ].join(" ");
}
