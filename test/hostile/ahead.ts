/** Cases that mostly wait, each for its own host, are run several at a time, ahead of the tests that report them. */

/**
 * The result of each case, by case; the first asked for begins them all. `lanes` at a time, in their order, and `run` is told
 * which lane it is in; those that are `alone` come last, with nothing beside them.
 */
export function ahead<Case extends { readonly alone?: true }, Result>(
  cases: readonly Case[],
  lanes: number,
  run: (one: Case, lane: number) => Promise<Result>,
): (one: Case) => Promise<Result> {
  const settle = new Map<Case, (result: Promise<Result>) => void>();
  const results = new Map(
    cases.map((one) => {
      const promise = new Promise<Result>((resolve) => settle.set(one, resolve));
      // Its test hears of it when its turn comes.
      promise.catch(() => {});
      return [one, promise] as const;
    }),
  );
  const lane = async (waiting: Case[], number: number): Promise<void> => {
    for (let one = waiting.shift(); one !== undefined; one = waiting.shift()) {
      const result = run(one, number);
      settle.get(one)?.(result);
      await result.catch(() => {});
    }
  };
  const begin = async (): Promise<void> => {
    const together = cases.filter(({ alone }) => alone !== true);
    await Promise.all(Array.from({ length: lanes }, (_, number) => lane(together, number)));
    await lane(
      cases.filter(({ alone }) => alone === true),
      0,
    );
  };
  let begun = false;
  return (one) => {
    if (!begun) void begin();
    begun = true;
    const result = results.get(one);
    return result ?? Promise.reject(new Error("no such case"));
  };
}
