/** Podman 4.3 with its CNI backend, as Debian 12 ships it, over the executables: containers, ports, static addresses, restarts, kills. */
import { execFileSync } from "node:child_process";
import { mkdirSync, symlinkSync } from "node:fs";
import { program } from "#dist/permissions/netlink/kernel/programs.js";
import { MAIN } from "../docker/engine/daemon.js";
import { codeBlock } from "../docs/blocks.js";
import { assert, suite, until } from "../harness.js";
import { NOTHING, noReference, Place } from "./place.js";

const test = suite("cni: podman 4.3");

/** Why Podman cannot be run here with CNI; undefined when it can. */
function noPodman(): string | undefined {
  const podman = program("podman");
  if (podman === undefined) return "there is no podman (Debian: apt-get install podman)";
  if (program("crun") === undefined) return "there is no crun (Debian: apt-get install crun)";
  const version = execFileSync(podman, ["--version"], { encoding: "utf8" }).trim();
  if (!/ version [34]\./.test(version)) return `${version} may come without its CNI backend`;
  return noReference();
}

const needs = noPodman();
const options = { needs, ms: 90_000 } as const;

class Podman {
  readonly place: Place;

  private constructor(place: Place) {
    this.place = place;
  }

  /** On a stage, with files of its own and an image of busybox alone. */
  static async open(): Promise<Podman> {
    const podman = new Podman(await Place.open());
    const { stage, daemon } = podman.place;
    const image = stage.path("image");
    mkdirSync(`${image}/bin`, { recursive: true });
    for (const folder of ["etc", "root", "tmp", "proc", "sys", "dev", "run"]) mkdirSync(`${image}/${folder}`);
    execFileSync("cp", ["-L", program("busybox") ?? "", `${image}/bin/busybox`]);
    for (const name of ["sh", "sleep", "nc", "ping", "ip", "echo"]) symlinkSync("busybox", `${image}/bin/${name}`);
    execFileSync("tar", ["-C", image, "-cf", `${image}.tar`, "."]);
    const back = `{ "cniVersion": "0.4.0", "name": "back", "plugins": [ { "type": "bulkhead-bridge", "ipam": { "subnet": "10.64.21.0/24" } } ] }`;
    await stage.sh(`
      mount -t cgroup2 cgroup2 /sys/fs/cgroup 2>/dev/null || true
      mkdir -p /etc/containers /etc/cni/net.d; rm -f /etc/cni/net.d/*
      printf '[engine]\\nruntime = "crun"\\ncgroup_manager = "cgroupfs"\\nevents_logger = "file"\\n[containers]\\ncgroups = "disabled"\\ndefault_capabilities = ["NET_RAW", "SETUID", "SETGID", "NET_BIND_SERVICE", "KILL", "CHOWN"]\\nlog_driver = "k8s-file"\\n[network]\\nnetwork_backend = "cni"\\ncni_plugin_dirs = ["/opt/cni/bin", "/usr/lib/cni"]\\n' >/etc/containers/containers.conf
      printf '[storage]\\ndriver = "vfs"\\nrunroot = "/run/containers/storage"\\ngraphroot = "/var/lib/containers/storage"\\n' >/etc/containers/storage.conf
      printf '{"default":[{"type":"insecureAcceptAnything"}]}' >/etc/containers/policy.json
      echo '${back}' >/etc/cni/net.d/51-back.conflist
      mount -t tmpfs tmpfs /opt; mkdir -p /opt/cni/bin /run/bin
      ln -s ${daemon.dataDir} /var/lib/bulkhead; ln -s ${MAIN} /run/bin/bulkhead`);
    // As the page says it.
    const script = await codeBlock("src/cni/README.md", "sh", "bulkhead cni install");
    await stage.sh(`cd /run; PATH=/run/bin:$PATH; ${script}`);
    await stage.sh(
      `sed -i 's/"type": "bulkhead-bridge",/& "runtimeBindsPorts": true,/' /etc/cni/net.d/50-web.conflist`,
    );
    await podman.run("import", "-q", `${image}.tar`, "busybox");
    return podman;
  }

  async run(...args: readonly string[]): Promise<string> {
    const env = { ...process.env, PODMAN_IGNORE_CGROUPSV1_WARNING: "1", CONTAINERS_CONF: undefined };
    const ran = await this.place.stage.run(["podman", ...args], { env });
    if (ran.code !== 0) throw new Error(`podman ${args.join(" ")}: exit ${ran.code}: ${ran.err}`);
    return ran.out.trim();
  }

  async idle(name: string, ...args: readonly string[]): Promise<void> {
    await this.run("run", "-d", "--name", name, ...args, "busybox", "sleep", "1d");
  }

  ip(name: string, ifname = "eth0"): Promise<string> {
    return this.run("exec", name, "ip", "-4", "-o", "addr", "show", ifname);
  }
}

let opened: Promise<Podman> | undefined;
const open = (): Promise<Podman> => {
  opened ??= Podman.open();
  return opened;
};

test(
  "run, static address and MAC, a published port, two networks, connect and disconnect, restart, rm",
  async () => {
    const podman = await open();
    const { place } = podman;
    await podman.idle("one", "--network", "web");
    assert.match(await podman.ip("one"), "10.64.9.2/24");
    await podman.idle(
      "two",
      "--network",
      "web",
      "--ip",
      "10.64.9.77",
      "--mac-address",
      "02:11:22:33:44:55",
      "-p",
      "8501:80",
    );
    assert.match(await podman.ip("two"), "10.64.9.77/24");
    assert.match(await podman.run("exec", "two", "ip", "link", "show", "eth0"), "02:11:22:33:44:55");
    await podman.run("exec", "one", "ping", "-c1", "-W2", "10.64.9.77");
    await podman.run("exec", "-d", "two", "nc", "-ll", "-p", "80", "-e", "echo", "two");
    await until(
      async () => (await place.hears("outside", "198.51.100.1", 8501)) === "two",
      "the published port",
      10_000,
    );
    const inspected = await podman.run("inspect", "two", "--format", "{{.NetworkSettings.Networks.web.IPAddress}}");
    assert.is(inspected, "10.64.9.77");

    await podman.run("network", "connect", "back", "one");
    assert.match(await podman.ip("one", "eth1"), "10.64.21.2/24");
    await podman.run("network", "disconnect", "web", "one");
    await podman.run("exec", "one", "ping", "-c1", "-W2", "10.64.21.1");
    await podman.run("restart", "-t0", "two");
    assert.match(await podman.ip("two"), "10.64.9.77/24");
    await podman.run("rm", "-ft0", "one", "two");
    assert.equal(await place.left(), NOTHING);
  },
  options,
);

test(
  "rm without a daemon, a daemon that was killed, and containers that go on meanwhile",
  async () => {
    const podman = await open();
    const { place } = podman;
    await podman.idle("stays", "--network", "web");
    await podman.idle("goes", "--network", "web");
    await place.daemon.kill("SIGKILL");
    await podman.run("rm", "-ft0", "goes");
    await podman.run("exec", "stays", "ping", "-c1", "-W2", "10.64.9.1");
    await place.daemon.start();
    await until(async () => (await place.left()).containers.length === 1, "the one that went is settled", 20_000);
    await podman.run("network", "reload", "stays");
    await podman.run("exec", "stays", "ping", "-c1", "-W2", "10.64.9.1");
    await podman.run("rm", "-ft0", "stays");
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
