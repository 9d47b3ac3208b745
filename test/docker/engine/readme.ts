/** src/docker/README.md: the lines under "Using it", run by a shell in a project in which the package is installed. */
import { mkdir, readFile, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { assert, type Suite } from "../../harness.js";
import { REPO } from "../../kit/host.js";
import { MAIN } from "./daemon.js";
import type { Play } from "./play.js";

export function readme(test: Suite, open: () => Promise<Play>, needs: string | undefined) {
  test(
    "src/docker/README.md: its lines work as they are written",
    async () => {
      const { engine, stage, daemon, kind } = await open();
      await daemon.kill("SIGTERM");
      const text = /\n## Using it\n[\s\S]*?```sh\n([\s\S]*?)```/.exec(
        await readFile(join(REPO, "src/docker/README.md"), "utf8"),
      )?.[1];
      const lines = (text ?? "").trim().split("\n");
      assert.is(lines.length, 6);
      const project = stage.path("project");
      await mkdir(join(project, "node_modules/.bin"), { recursive: true });
      await symlink(REPO, join(project, "node_modules/bulkhead"));
      await symlink(MAIN, join(project, "node_modules/.bin/bulkhead"));
      // Any wget would do.
      await mkdir(join(project, "bin"));
      await symlink("/bin/busybox", join(project, "bin/wget"));
      if (kind.suite !== undefined) {
        // The command line that came with the engine, by a path that does not lead here again.
        const command = stage.inEngine(["/usr/bin/docker"]).join(" ");
        await writeFile(join(project, "bin/docker"), `#!/bin/sh\nexec ${command} "$@"\n`, { mode: 0o755 });
      }
      const env = { ...engine.env, PATH: `${project}/bin:${process.env.PATH}`, TMPDIR: "/run" };
      const script = `cd ${project}; set -e; exec >${project}/said 2>&1; ${lines.join("\n")}`;
      const ran = await stage.run(["sh", "-c", script], { env, ms: 60_000 });
      const said = await readFile(join(project, "said"), "utf8");
      assert.is(ran.code, 0, said);
      // What the container says of itself, asked by another container and by the host; the daemon's own line stands among them.
      const id = (await engine.docker("ps", "-q", "-f", "name=web")).trim();
      assert.is(said.split("\n").filter((line) => line === id).length, 2, said);
      assert.match(said, /^bulkhead ready: /m);
      // The last line shows the port, and whose it is.
      assert.match(said, /^0\.0\.0\.0:8080 +tcp +\S+:80 +bridge +mine +\S+ +web/m);
      await engine.docker("rm", "-f", "web");
      await engine.docker("network", "rm", "mine");
    },
    { ms: 90_000, needs },
  );
}
