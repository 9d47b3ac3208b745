#!/usr/bin/env bash
# Good guess: esbuild's `mainFields` says which fields of a package.json are followed; with "browser" in it, a package's browser build is taken.
# Wrong by half: a `browser` that is a text is taken on every platform, one that is a map (file → file) on `platform: "browser"` alone.
# On "neutral" and "node" the map is passed over in silence, and the file for Node is bundled: no error, no warning, no log line.
# Users meet it where a bundle is for neither (a worker, an embedded engine, a sandbox): packages with one form of the field work, those
# with the other fail at run time with "require is not defined" or a missing module of Node's.
# esbuild 0.28.2.
set -euo pipefail
folder="$(mktemp -d)"
trap 'rm -rf "$folder"' EXIT
cd "$folder"
npm init -y >/dev/null
npm install --silent --no-audit --no-fund esbuild@0.28.2
npx esbuild --version

# $1: the package's name; $2: its field.
package() {
  mkdir -p "node_modules/$1"
  echo "{\"name\":\"$1\",\"version\":\"1.0.0\",\"main\":\"node.js\",\"browser\":$2}" >"node_modules/$1/package.json"
  echo 'module.exports = "for Node";' >"node_modules/$1/node.js"
  echo 'module.exports = "for browsers";' >"node_modules/$1/web.js"
  echo "import is from '$1'; console.log(is);" >"$1.mjs"
}
package text '"web.js"'
package map '{"./node.js":"./web.js"}'

# $1: what to bundle; $2: the platform; $3: what is expected.
expect() {
  npx esbuild "$1.mjs" --bundle --format=esm --platform="$2" --main-fields=browser,module,main --log-level=verbose --outfile=out.mjs 2>log
  got="$(node out.mjs)"
  echo "browser as a $1, platform $2: $got; warnings: $(grep -c WARNING log || true)"
  test "$got" = "$3" || { echo "CHANGED"; exit 1; }
}
expect text browser "for browsers"
expect map browser "for browsers"
expect text neutral "for browsers"
expect map neutral "for Node"
expect text node "for browsers"
expect map node "for Node"
