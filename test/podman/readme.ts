/** src/podman/README.md: the lines under "Using it", run by a shell in a project in which the package is installed. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { MAIN } from "../docker/engine/daemon.js";
import { assert, type Suite } from "../harness.js";
import { REPO } from "../kit/host.js";
import type { Play } from "./play.js";

export function readme(test: Suite, open: () => Promise<Play>, needs: string | undefined): void {
  test(
    "src/podman/README.md: its lines work as they are written",
    async () => {
      const { podman, stage, daemon } = await open();
      await daemon.kill("SIGTERM");
      const page = await readFile(join(REPO, "src/podman/README.md"), "utf8");
      const lines = (/\n## Using it\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(page)?.[1] ?? "").trim().split("\n");
      assert.is(lines.length, 5);
      const project = stage.path("project");
      await mkdir(join(project, "node_modules/.bin"), { recursive: true });
      await symlink(REPO, join(project, "node_modules/bulkhead"));
      await symlink(MAIN, join(project, "node_modules/.bin/bulkhead"));
      await mkdir(join(project, "bin"));
      // Any wget would do.
      await symlink("/bin/busybox", join(project, "bin/wget"));
      const command = stage.inEngine(["/usr/bin/podman"]).join(" ");
      await writeFile(join(project, "bin/podman"), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
      // The machine's folder is left alone: what is written there goes to the root that Podman sees.
      await stage.sh(`
        mkdir -p /run/local/upper /run/local/work
        mount -t overlay overlay -o lowerdir=/usr/local,upperdir=/run/local/upper,workdir=/run/local/work /usr/local
        mkdir -p /usr/local/libexec/netavark; mount --bind ${podman.plugins} /usr/local/libexec/netavark`);
      const env = { ...process.env, PATH: `${project}/bin:${process.env.PATH}`, TMPDIR: "/run" };
      const script = `cd ${project}; set -e; exec >${project}/said 2>&1; ${lines.join("\n")}`;
      const ran = await stage.run(["sh", "-c", script], { env, ms: 60_000 });
      const said = await readFile(join(project, "said"), "utf8");
      assert.is(ran.code, 0, said);
      // What the container says of itself, asked by another container and by the host.
      const id = (await podman.podman("ps", "-q", "-f", "name=web")).trim();
      assert.is(said.split("\n").filter((line) => line === id).length, 2, said);
      await podman.podman("rm", "-f", "-t", "0", "web");
      await podman.podman("network", "rm", "mine");
    },
    { ms: 90_000, needs },
  );
}
