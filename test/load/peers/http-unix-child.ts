import { createServer } from "node:http";
import { ANSWER } from "./peer.js";

const [, , path] = process.argv;
const server = createServer((request, response) => {
  let text = "";
  request.setEncoding("utf8").on("data", (part: string) => {
    text += part;
  });
  request.on("end", () => {
    JSON.parse(text);
    response.setHeader("content-type", "application/json").end(JSON.stringify({ Interface: ANSWER }));
  });
});
server.listen(path, () => process.send?.("ready"));
process.once("disconnect", () => process.exit());
