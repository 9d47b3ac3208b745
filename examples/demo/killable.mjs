/** Worker threads that can be ended from outside, as a crash would end them. A platform has no use for it; a demonstration has. */
import { ThreadLauncher } from "#dist/isolation/thread-launcher.js";

export class KillableThreads {
  #threads = new ThreadLauncher();
  #links = new Map();

  async launch(request) {
    const link = await this.#threads.launch(request);
    this.#links.set(request.plugin, link);
    return link;
  }

  /** Ends the worker a plugin runs in, behind its host's back. */
  kill(plugin) {
    this.#links.get(plugin)?.kill("killed by the demonstration");
  }

  live() {
    return this.#threads.live();
  }

  close() {
    return this.#threads.close();
  }
}
