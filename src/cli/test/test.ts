/** `bulkhead test PATH`: the rules of the driver contract, tried on the author's own driver. */
import { shortList } from "../../common/text.js";
import { DriverError } from "../../driverapi/errors.js";
import { bundleDiscovered } from "../../host/bundled.js";
import type { Discovered } from "../../host/discovery.js";
import { driverContract } from "../../testing/contract.js";
import { createTestHost } from "../../testing/test-host.js";
import { withCopy } from "../copy-plugin.js";
import type { Report } from "../output.js";
import { chosenRules, readTestFlags, type TestFlags, type TestSettings } from "./flags.js";
import { LastLines, type RuleResult, resultText, tryRule } from "./rule-result.js";

/** After so many rules in a row that meet a driver which does not answer, the others are not tried. */
const HANGS = 3;

/** Receives the results while they come: text, or lines of JSON. */
export type Print = (text: string) => void;

/**
 * Tries the rules one after the other, each in a host of its own: a thread, with a model of the kernel. Throws `ERR_USAGE` and the
 * error that keeps the plugin from loading; reports `ERR_CONTRACT_BROKEN`.
 */
export async function testPlugin(path: string, flags: TestFlags, json: boolean, print: Print): Promise<Report> {
  const settings = readTestFlags(flags);
  return withCopy(path, "bulkhead-contract-", (plugin) => testCopy(plugin, settings, json, print));
}

async function testCopy(plugin: Discovered, settings: TestSettings, json: boolean, print: Print): Promise<Report> {
  const { sha256 } = await bundleDiscovered(plugin);
  const log = new LastLines();
  const types = await registered(plugin, settings, log);
  const results: RuleResult[] = [];
  let [hangs, untried] = [0, 0];
  for (const type of types) {
    const options = { plugin: plugin.path, type, network: settings.network, rounds: settings.rounds, logger: log };
    const rules = chosenRules(driverContract(options), settings);
    const width = Math.max(0, ...rules.map(({ id }) => id.length));
    if (!json) print(`${plugin.id}, type ${type}: ${rules.length} rule${rules.length === 1 ? "" : "s"}\n`);
    for (const rule of rules) {
      if (hangs === HANGS) {
        untried++;
        continue;
      }
      const result = await tryRule(rule, type, log);
      results.push(result);
      hangs = result.code === "ERR_DRIVER_TIMEOUT" || result.code === "ERR_DRIVER_BUSY" ? hangs + 1 : 0;
      print(json ? `${JSON.stringify(result)}\n` : resultText(result, width));
    }
  }
  return summary(plugin, sha256, results, untried);
}

/** Loads the plugin once, and returns the types to test. */
async function registered(plugin: Discovered, { type }: TestSettings, logger: LastLines): Promise<readonly string[]> {
  const host = await createTestHost({ plugin: plugin.path, logger });
  try {
    const types = host.host.plugins()[0]?.drivers ?? [];
    if (type === undefined) return types;
    if (types.includes(type)) return [type];
    const rule = `--type: plugin "${plugin.id}" does not register that type; it registers ${types.join(", ")}`;
    throw new DriverError("ERR_USAGE", rule, { plugin: plugin.id });
  } finally {
    await host.close();
  }
}

function summary(plugin: Discovered, sha256: string, results: readonly RuleResult[], untried: number): Report {
  const broken = results.filter(({ ok }) => !ok);
  const kept = results.length - broken.length;
  const names = broken.map(({ rule }) => rule);
  const data = { plugin: plugin.id, version: plugin.version ?? null, sha256, kept, broken: names, untried };
  const text = `${kept} kept, ${broken.length} broken${untried === 0 ? "" : `, ${untried} not tried`}`;
  if (broken.length === 0) return { data, text };
  const why =
    untried === 0
      ? ""
      : `; the last ${HANGS} met a driver that does not answer, so ${untried} more were not tried: make the calls settle first`;
  const words = `plugin "${plugin.id}" breaks ${broken.length} of ${results.length} rules: ${shortList(names)}${why}`;
  const { file, line } = broken.find((one) => one.file !== undefined) ?? {};
  return { data, text, error: new DriverError("ERR_CONTRACT_BROKEN", words, { plugin: plugin.id, file, line }) };
}
