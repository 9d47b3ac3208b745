/** Tries what the kernel and its tools can do, in a temporary network namespace. */
import { execute } from "../../netlink/kernel/ip.js";
import type { IpOutcome } from "../../netlink/kernel/outcome.js";
import { program } from "../../netlink/kernel/programs.js";
import type { ShapeField } from "../shape.js";
import { redirect } from "./lines.js";

/** What a field needs of the kernel. */
type Part = "bucket" | "netem";

const PARTS: Readonly<Record<ShapeField, Part>> = {
  rate: "bucket",
  burst: "bucket",
  delay: "netem",
  jitter: "netem",
  loss: "netem",
};

interface Trial {
  readonly tool: "ip" | "tc";
  readonly lines: readonly string[];
  /** Its modules. */
  readonly needs: string;
}

const TRIALS: Readonly<Record<Part, readonly Trial[]>> = {
  bucket: [
    { tool: "tc", lines: ["qdisc add dev lo root tbf rate 1mbit burst 10kb limit 10kb"], needs: "sch_tbf" },
    {
      tool: "tc",
      lines: ["qdisc add dev lo handle ffff: ingress", redirect("lo", "lo")],
      needs: "sch_ingress, cls_u32 and act_mirred",
    },
    { tool: "ip", lines: ["link add name ifb-trial type ifb"], needs: "ifb" },
  ],
  netem: [{ tool: "tc", lines: ["qdisc add dev lo root netem delay 1ms loss random 1%"], needs: "sch_netem" }],
};

/** Why a part is not available; undefined: it is. */
type Verdict = Promise<string | undefined>;

/** Tries parts; a success is remembered, a failure tried again, since a module may be loaded later. */
export class Probe {
  readonly #verdicts = new Map<Part, Verdict>();

  /** Returns, of these fields, those that cannot be had, and why. */
  async missing(fields: readonly ShapeField[]): Promise<ReadonlyMap<ShapeField, string>> {
    const missing = new Map<ShapeField, string>();
    for (const field of fields) {
      const why = await this.#verdict(PARTS[field]);
      if (why !== undefined) missing.set(field, why);
    }
    return missing;
  }

  #verdict(part: Part): Verdict {
    let verdict = this.#verdicts.get(part);
    if (verdict === undefined) {
      verdict = tryPart(part).then((why) => {
        if (why !== undefined) this.#verdicts.delete(part);
        return why;
      });
      this.#verdicts.set(part, verdict);
    }
    return verdict;
  }
}

async function tryPart(part: Part): Verdict {
  const tc = program("tc");
  if (tc === undefined) return '"tc" is not installed (Debian: apt install iproute2)';
  const unshare = program("unshare");
  // If no namespace can be created for the trial, shaping the link shows whether the kernel can do it.
  if (unshare === undefined) return undefined;
  const reasons = await Promise.all(
    TRIALS[part].map(async ({ tool, lines, needs }) => {
      const args = ["--net", program(tool) ?? tool, "-batch", "-"];
      const why = complaint(await execute(unshare, args, `${lines.join("\n")}\n`));
      return why && `this kernel lacks ${needs} (${why})`;
    }),
  );
  return reasons.find((why) => why !== undefined);
}

/** Returns what a tool says against a trial; undefined if the trial succeeded, or could not be made. */
function complaint({ code, stderr }: IpOutcome): string | undefined {
  if (code === 0 || code === null || stderr.startsWith("unshare")) return undefined;
  const [first = ""] = stderr.split("\n");
  return first.replace(/^(RTNETLINK answers|Error): /, "").replace(/\.$/, "");
}
