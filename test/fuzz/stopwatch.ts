/** How long something takes by itself: never more than the processor's own time, for on a busy machine the clock runs on for others. */
export function stopwatch(): () => number {
  const [began, before] = [performance.now(), process.cpuUsage()];
  return () => {
    const { user, system } = process.cpuUsage(before);
    return Math.min(performance.now() - began, (user + system) / 1000);
  };
}
