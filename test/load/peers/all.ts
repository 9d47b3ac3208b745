/** Every peer, cheapest first. */
import { childIpc } from "./child-ipc.js";
import { bareComlink } from "./comlink.js";
import { direct } from "./direct.js";
import { httpUnix } from "./http-unix.js";
import type { Peer } from "./peer.js";
import { barePiscina } from "./piscina.js";
import { quickjs } from "./quickjs.js";
import { rawEcho } from "./raw-echo.js";

export const PEERS: readonly Peer[] = [direct, quickjs, rawEcho, bareComlink, barePiscina, childIpc, httpUnix];
