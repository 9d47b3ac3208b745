/** wrk, posting what an engine posts: endpoints made, and deleted when 128 more have been made. */
import { execFile, spawnSync } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { LOAD_NETWORK, loadRequest } from "#dist/load/request.js";

const CONNECTIONS = 64;
/** Creates by which deletes lag: hardly a delete overtakes its create on another connection. The first so many find nothing. */
export const LAG = 128;

/** Why it cannot be had. */
export function noWrk(): string | undefined {
  return spawnSync("wrk", ["--version"]).error ? "no wrk on PATH (Debian: apt-get install wrk)" : undefined;
}

/** The engine's request of an endpoint, with a place for its id and for the address the engine chose. */
const BODY = JSON.stringify({
  NetworkID: LOAD_NETWORK,
  EndpointID: "EID",
  Interface: { Address: "ADDRESS", AddressIPv6: "", MacAddress: "" },
  Options: loadRequest(0).options,
});

const SCRIPT = `
local n, first = 0, 0
local create = [==[${BODY}]==]
local delete = [==[${JSON.stringify({ NetworkID: LOAD_NETWORK, EndpointID: "EID" })}]==]
local headers = { ["Accept"] = "application/vnd.docker.plugins.v1.2+json" }
function init(args) first = tonumber(args[1]) end
function request()
  n = n + 1
  local k = first + math.floor(n / 2)
  if n % 2 == 0 then
    local address = string.format("10.%d.%d.%d/8", math.floor(k / 62500) % 250 + 1, math.floor(k / 250) % 250 + 1, k % 250 + 2)
    local body = create:gsub("EID", string.format("%064x", k + 16)):gsub("ADDRESS", address)
    return wrk.format("POST", "/NetworkDriver.CreateEndpoint", headers, body)
  end
  local body = delete:gsub("EID", string.format("%064x", k + 16 - ${LAG}))
  return wrk.format("POST", "/NetworkDriver.DeleteEndpoint", headers, body)
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('RESULT {"requests":%d,"us":%d,"errors":%d}\\n', summary.requests, summary.duration,
    e.connect + e.read + e.write + e.status + e.timeout))
end
`;

/** Requests per second over `ms`, after a second of warm-up where `ms` is at least that; rejects if any of them failed. */
export async function wrk(url: string, ms: number): Promise<number> {
  const folder = await mkdtemp(join(tmpdir(), "bulkhead-wrk-"));
  try {
    const script = join(folder, "post.lua");
    await writeFile(script, SCRIPT);
    const seconds = String(Math.max(1, Math.round(ms / 1000)));
    if (ms >= 1000) await once(url, script, "1", LAG);
    return await once(url, script, seconds, 1_000_000);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function once(url: string, script: string, seconds: string, first: number): Promise<number> {
  const args = ["-t1", `-c${CONNECTIONS}`, `-d${seconds}s`, "-s", script, url, "--", String(first)];
  const { stdout } = await promisify(execFile)("wrk", args, { timeout: 60_000 });
  const told = /RESULT (.*)/.exec(stdout)?.[1];
  const { requests, us, errors } = JSON.parse(told ?? "{}") as { requests: number; us: number; errors: number };
  if (!(requests > 0) || errors > 0) throw new Error(`wrk: ${errors} of ${requests} requests failed\n${stdout}`);
  return (requests / us) * 1e6;
}
