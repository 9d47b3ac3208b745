/** containerd over the executables, with the reference library that it is built with: a container runs, restarts and ends; names, ports, kills. */
import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { assert, suite, until } from "../harness.js";
import { NOTHING, noReference, Place } from "./place.js";

const test = suite("cni: containerd");

/** Why containerd cannot be run here; undefined when it can. */
function noContainerd(): string | undefined {
  for (const name of ["containerd", "ctr", "runc"])
    if (program(name) === undefined) return `there is no ${name} (Debian: apt-get install containerd)`;
  return noReference();
}

const needs = noContainerd();
const options = { needs, ms: 90_000 } as const;
const IMAGE = "local.test/busybox:latest";

class Containerd {
  readonly place: Place;
  #count = 0;

  private constructor(place: Place) {
    this.place = place;
  }

  static async open(): Promise<Containerd> {
    const one = new Containerd(await Place.open());
    const { stage } = one.place;
    const list = {
      ...{ cniVersion: "1.0.0", name: "web" },
      plugins: [
        { type: "bulkhead-bridge", ipam: { ranges: [[{ subnet: "10.64.9.0/24" }], [{ subnet: "fd64:9::/64" }]] } },
      ],
    };
    await stage.sh(`
      mkdir -p /etc/cni/net.d; rm -f /etc/cni/net.d/*; echo '${JSON.stringify(list)}' >/etc/cni/net.d/50-web.conflist
      mount -t tmpfs tmpfs /opt; mkdir -p /opt/cni/bin; cp ${one.place.bin}/* /opt/cni/bin`);
    writeFileSync(stage.path("containerd.toml"), `version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n`);
    const folders = [
      "--root",
      stage.path("containerd"),
      "--state",
      "/run/containerd",
      "--config",
      stage.path("containerd.toml"),
    ];
    const server = stage.start(["containerd", ...folders]);
    await until(async () => (await stage.run(["ctr", "version"])).code === 0, "containerd", 20_000).catch((error) => {
      throw new Error(`${error.message}: ${server.log()}`);
    });
    await one.ctr("images", "import", "--snapshotter", "native", image(stage.path("image")));
    return one;
  }

  /** A command that runs a container on the network: a flag of `ctr run`, then the program. */
  command(name: string, flag: string, ...program: readonly string[]): readonly string[] {
    const flags = ["--cni", "--snapshotter", "native", "--cgroup", `/${this.place.stage.cgroup}/${name}`, flag];
    return ["ctr", "run", ...flags, IMAGE, name, ...program];
  }

  /** Runs a container. Resolves with what it printed; with `-d`, once it runs. */
  runs(name: string, flag: string, ...program: readonly string[]): Promise<string> {
    return this.ctr(...this.command(name, flag, ...program).slice(1));
  }

  /** Runs a program in a container. */
  does(name: string, ...program: readonly string[]): Promise<string> {
    return this.ctr("task", "exec", "--exec-id", `exec-${++this.#count}`, name, ...program);
  }

  async ctr(...args: readonly string[]): Promise<string> {
    const ran = await this.place.stage.run(["ctr", ...args]);
    if (ran.code !== 0) throw new Error(`ctr ${args.join(" ")}: exit ${ran.code}: ${ran.err}`);
    return ran.out.trim();
  }
}

/** Writes an image of busybox alone as `docker save` does; returns the file. */
function image(folder: string): string {
  mkdirSync(`${folder}/root/bin`, { recursive: true });
  for (const name of ["etc", "tmp", "proc", "sys", "dev", "run"]) mkdirSync(`${folder}/root/${name}`);
  execFileSync("cp", ["-L", program("busybox") ?? "", `${folder}/root/bin/busybox`]);
  for (const name of ["sh", "sleep", "nc", "ping", "ip", "echo"]) symlinkSync("busybox", `${folder}/root/bin/${name}`);
  execFileSync("tar", ["-C", `${folder}/root`, "-cf", `${folder}/layer.tar`, "."]);
  const digest = createHash("sha256")
    .update(readFileSync(`${folder}/layer.tar`))
    .digest("hex");
  const architecture = process.arch === "x64" ? "amd64" : process.arch;
  const config = { architecture, os: "linux", config: {}, rootfs: { type: "layers", diff_ids: [`sha256:${digest}`] } };
  writeFileSync(`${folder}/config.json`, JSON.stringify(config));
  const manifest = [{ Config: "config.json", RepoTags: [IMAGE], Layers: ["layer.tar"] }];
  writeFileSync(`${folder}/manifest.json`, JSON.stringify(manifest));
  execFileSync("tar", ["-C", folder, "-cf", `${folder}.tar`, "manifest.json", "config.json", "layer.tar"]);
  return `${folder}.tar`;
}

let opened: Promise<Containerd> | undefined;
const open = (): Promise<Containerd> => {
  opened ??= Containerd.open();
  return opened;
};

test(
  "a container has its addresses, and reaches its gateway and the outside; nothing is left of it when it has ended",
  async () => {
    const containerd = await open();
    const script = "ip -o addr show eth0; ping -c1 -W2 10.64.9.1; ping -c1 -W2 198.51.100.2";
    const said = await containerd.runs("one", "--rm", "sh", "-ec", script);
    assert.match(said, "10.64.9.2/24");
    assert.match(said, "fd64:9::2/64");
    assert.is(said.match(/1 packets received/g)?.length, 2, said);
    assert.equal(await containerd.place.left(), NOTHING);
  },
  options,
);

test(
  "containers reach each other; the daemon is killed, they go on, and one that ends meanwhile is settled",
  async () => {
    const containerd = await open();
    const { place } = containerd;
    await containerd.runs("stays", "-d", "nc", "-ll", "-p", "80", "-e", "echo", "stays");
    const shown = await containerd.does("stays", "ip", "-4", "-o", "addr", "show", "eth0");
    const address = /10\.64\.9\.\d+/.exec(shown)?.[0] ?? "";
    const goes = place.stage.start(containerd.command("goes", "--rm", "sh", "-c", `nc -w 3 ${address} 80; sleep 1d`));
    await until(() => goes.said().includes("stays"), "a reply", 20_000);
    assert.is((await place.left()).containers.length, 2);
    await place.daemon.kill("SIGKILL");
    await containerd.ctr("task", "kill", "--signal", "SIGKILL", "goes");
    await until(async () => !(await containerd.ctr("containers", "list", "-q")).includes("goes"), "its end", 20_000);
    await containerd.does("stays", "ping", "-c1", "-W2", "10.64.9.1");
    await place.daemon.start();
    await until(async () => (await place.left()).containers.length === 1, "the one that went is settled", 20_000);
    await containerd.does("stays", "ping", "-c1", "-W2", "10.64.9.1");
    // `ctr` has no DEL for a container that it does not wait for: the daemon finds the namespace gone.
    await containerd.ctr("task", "kill", "--signal", "SIGKILL", "stays");
    await until(async () => (await place.left()).containers.length === 0, "nothing left", 60_000);
    await containerd.ctr("task", "delete", "stays");
    await containerd.ctr("containers", "delete", "stays");
    assert.equal(await place.left(), NOTHING);
  },
  options,
);

test(
  "the stage is closed, and nothing of it is left on the machine",
  async () => (await open()).place.close(),
  options,
);

test.run();
