/** The driver in QuickJS, compiled to wasm, in this very process: JSON in, JSON out, and no second thread. */
import { loadRequest } from "#dist/load/request.js";
import { ANSWER, type Peer } from "./peer.js";

export const quickjs: Peer = {
  id: "quickjs",
  what: "QuickJS in wasm",
  async start() {
    const { getQuickJS } = await import("quickjs-emscripten");
    const context = (await getQuickJS()).newContext();
    const code = `(text) => { JSON.parse(text); return JSON.stringify(${JSON.stringify(ANSWER)}); }`;
    const createEndpoint = context.unwrapResult(context.evalCode(code));
    return {
      async call(n) {
        const text = context.newString(JSON.stringify(loadRequest(n)));
        const answer = context.unwrapResult(context.callFunction(createEndpoint, context.undefined, text));
        const value: unknown = JSON.parse(context.getString(answer));
        answer.dispose();
        text.dispose();
        return value;
      },
      async stop() {
        createEndpoint.dispose();
        context.dispose();
      },
    };
  },
};
