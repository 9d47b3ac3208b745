/** Follows one plugin's own files, and the list of packages that npm installed for it. */
import { basename, dirname, join, relative, sep } from "node:path";
import { watch } from "chokidar";

/** npm writes it last, when packages have been installed or removed. */
const INSTALLED = join("node_modules", ".package-lock.json");

/** Several files are often written one after another; in milliseconds. */
const SETTLE_MS = 60;

export interface SourceWatch {
  close(): Promise<void>;
}

/** Resolves once every further change will be noticed. `changed` gets whether packages have changed, and when it began. */
export async function watchSource(
  source: string,
  isFolder: boolean,
  changed: (packages: boolean, since: number) => void,
): Promise<SourceWatch> {
  const root = isFolder ? source : dirname(source);
  const name = basename(source);
  const own = isFolder
    ? [source]
    : [source, join(root, `${name.replace(/\.[^.]*$/, "")}.plugin.json`), join(root, INSTALLED)];
  const watcher = watch(own, {
    ignoreInitial: true,
    followSymlinks: false,
    ignored: (path) => path.startsWith(root + sep) && isIgnored(relative(root, path)),
  });
  let timer: NodeJS.Timeout | undefined;
  let [packages, since] = [false, 0];
  watcher.on("all", (_event, path) => {
    packages ||= path.endsWith(INSTALLED);
    if (since === 0) since = performance.now();
    clearTimeout(timer);
    timer = setTimeout(() => {
      const [also, began] = [packages, since];
      [packages, since] = [false, 0];
      changed(also, began);
    }, SETTLE_MS);
  });
  await new Promise<void>((resolve) => watcher.once("ready", () => resolve()));
  return {
    async close() {
      clearTimeout(timer);
      await watcher.close();
    },
  };
}

/** Ignores dotfiles, editors' files and packages, but not npm's list of them. */
function isIgnored(path: string): boolean {
  if (path === "node_modules" || path === INSTALLED) return false;
  return path.split(sep).some((part) => part === "node_modules" || part.startsWith(".") || /~$|\.swp$/.test(part));
}
