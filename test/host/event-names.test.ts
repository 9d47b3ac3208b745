/** An event there is not is refused, with the nearest that is. */
import { assert, suite } from "../harness.js";
import { house, thrown } from "../kit/host.js";

const test = suite("host: names of events");

test("on, once and off throw a TypeError that names the nearest event, or all of them", async (t) => {
  const host = await (await house(t)).open();
  for (const method of ["on", "once", "off"] as const) {
    const add = (name: unknown) => thrown(() => host[method](name as never, () => {}));
    assert.instance(add("plugin:restart"), TypeError);
    assert.is(add("plugin:restart").message, 'there is no event "plugin:restart"; did you mean "plugin:restarted"?');
    assert.match(
      add("error").message,
      /^there is no event "error"; the events are plugin:loaded, .*, storage:problem$/,
    );
    assert.match(add("toString").message, /^there is no event "toString"/);
    assert.match(add(5).message, /^there is no event 5; the events are/);
  }
  const listener = (): void => {};
  assert.is(host.on("plugin:loaded", listener).off("plugin:loaded", listener), host);
});

test.run();
