import { type MessagePort, workerData } from "node:worker_threads";
import * as Comlink from "comlink";
import { ANSWER } from "./peer.js";

const port = workerData as MessagePort;
Comlink.expose(
  { createEndpoint: (_nid: string, _eid: string, _options: unknown) => ANSWER },
  port as unknown as Comlink.Endpoint,
);
port.start();
