/** Runs steps and reports them: a line each, or one JSON object. */
export function report({ json, backend, isolation, note, ending }) {
  const steps = [];
  // Cleanup runs even if the reader has ended (`npm run demo | head`).
  process.stdout.on("error", (error) => {
    if (error.code !== "EPIPE") throw error;
  });
  let ok = true;
  const print = (line) => {
    if (!json && !ending()) console.log(line);
  };
  print(`bulkhead demo  (isolation: ${isolation}, backend: ${backend})\n`);
  if (note) print(`${note}\n`);
  return {
    /** Runs one step; `body` returns a line of detail, or `{ detail, … }`. No step begins once the demo is ending. */
    async run(name, body) {
      const started = performance.now();
      const step = { name, ok: true, ms: 0 };
      let result;
      try {
        result = await body();
        step.detail = typeof result === "string" ? result : result?.detail;
      } catch (error) {
        ok = step.ok = false;
        if (error.code) step.code = error.code;
        step.detail = error.message;
      }
      if (ending()) await new Promise(() => {});
      step.ms = Math.round(performance.now() - started);
      steps.push(step);
      print(`${step.ok ? "ok  " : "FAIL"} ${name.padEnd(11)} ${String(step.ms).padStart(5)} ms  ${step.detail ?? ""}`);
      return result ?? {};
    },
    finish(leftovers) {
      if (json) console.log(JSON.stringify({ ok, backend, isolation, steps, leftovers }));
      else print(ok ? "\nall of it worked" : "\nsomething did not work: see the lines that begin with FAIL");
      return ok;
    },
  };
}
