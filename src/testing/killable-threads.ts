/** Worker threads that a test can terminate as if they had crashed. */
import type { Launcher, Link } from "../isolation/link.js";
import { ThreadLauncher } from "../isolation/thread-launcher.js";

export class KillableThreads implements Launcher {
  // Most tests never need a second worker, so preparing one would cost more time than it saves.
  readonly #threads = new ThreadLauncher({ spares: 0 });
  #links: Link[] = [];

  async launch(request: { readonly plugin: string; readonly memoryMb: number }): Promise<Link> {
    const link = await this.#threads.launch(request);
    this.#links.push(link);
    return link;
  }

  /** Terminates every worker of the plugin without telling its session, so that the host sees a crash. */
  crash(): void {
    const links = this.#links;
    this.#links = [];
    for (const link of links) link.kill("ended by the test");
  }

  live(): number {
    return this.#threads.live();
  }

  close(): Promise<void> {
    return this.#threads.close();
  }
}
