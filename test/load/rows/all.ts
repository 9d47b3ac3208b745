/** Everything that is measured: first the bars, in the order of their table, then what is for information. */
import type { Measure } from "../row.js";
import { builtins } from "./builtins.js";
import { cniAdd } from "./cni-add.js";
import { coldLoad } from "./cold-load.js";
import { controlFollowers } from "./control-followers.js";
import { curves } from "./curves.js";
import { docker } from "./docker.js";
import { dockerPs } from "./docker-ps.js";
import { egress } from "./egress.js";
import { flightRecorder } from "./flight-recorder.js";
import { gatewayWrk } from "./gateway-wrk.js";
import { hangRecovery } from "./hang-recovery.js";
import { isolations } from "./isolations.js";
import { journalLifecycles } from "./journal-lifecycles.js";
import { memory128 } from "./memory-128.js";
import { neighboursHostile } from "./neighbours-hostile.js";
import { openLoopTail } from "./open-loop-tail.js";
import { peers } from "./peers.js";
import { platformCost } from "./platform-cost.js";
import { saturationByFlight } from "./saturation-by-flight.js";
import { saturationProcessHttp } from "./saturation-process-http.js";
import { saturationThreadComlink } from "./saturation-thread-comlink.js";
import { saturationThreadRawEcho } from "./saturation-thread-raw-echo.js";
import { scale256 } from "./scale-256.js";
import { sequentialProcessHttp } from "./sequential-process-http.js";
import { sequentialThreadRawEcho } from "./sequential-thread-raw-echo.js";
import { spareLoad } from "./spare-load.js";
import { startStall } from "./start-stall.js";
import { storageAppend } from "./storage-append.js";
import { storageEndpoints, storageProcessor } from "./storage-cost.js";
import { walls } from "./walls.js";
import { work } from "./work.js";

export const MEASURES: readonly Measure[] = [
  saturationThreadRawEcho,
  saturationThreadComlink,
  saturationProcessHttp,
  sequentialThreadRawEcho,
  sequentialProcessHttp,
  openLoopTail,
  spareLoad,
  hangRecovery,
  coldLoad,
  memory128,
  scale256,
  builtins,
  gatewayWrk,
  neighboursHostile,
  startStall,
  platformCost,
  journalLifecycles,
  storageProcessor,
  ...storageAppend,
  storageEndpoints,
  docker,
  dockerPs,
  cniAdd,
  egress,
  saturationByFlight,
  peers,
  work,
  walls,
  isolations,
  controlFollowers,
  flightRecorder,
  curves,
];
