/**
 * The command `bulkhead` as a shell script: it starts `main.js`. A plain `ps` it asks of the host itself, with curl, since Node starts
 * slowly; it leaves failures, and sockets of other accounts, whose replies must be escaped for the terminal, to Node.
 */
import { controlPath, TABLE_PATH } from "../control/operations.js";
import { HERE } from "./default-places.js";
import { DEFAULTS as DAEMON } from "./serve/defaults.js";

/** Returns the script. It stands beside `main.js`. */
export function launcher(): string {
  // As `defaultOf` chooses.
  const here = Object.values(HERE).map((path) => `[ -e ${path} ]`);
  return `#!/usr/bin/env sh
if [ "$1" = ps ]; then
  case "$#$2" in
    1) if ${here.join(" || ")} || [ ! -e ${DAEMON.dataDir} ]; then socket=${controlPath(HERE.dataDir)}; else socket=${controlPath(DAEMON.dataDir)}; fi ;;
    3--control) socket=$3 ;;
    3--data-dir) socket=${controlPath("$3")} ;;
    *) socket= ;;
  esac
  if [ -S "$socket" ] && [ -O "$socket" ] && command -v curl >/dev/null; then
    colour=false
    if [ -t 1 ] && [ -z "$NO_COLOR" ]; then colour=true; fi
    table=$(curl -q --silent --fail --noproxy '*' --max-time 2 --unix-socket "$socket" "http://bulkhead${TABLE_PATH}?colour=$colour" 2>/dev/null) &&
      printf '%s\\n' "$table" 2>/dev/null && exit 0
  fi
fi
self=$(readlink -f "$0")
exec node "\${self%/*}/main.js" "$@"
`;
}
