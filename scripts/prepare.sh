# Sourced by the commands beside it: a Node that is new enough, the packages, and a built dist/, each only where it is missing.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

stop() { printf '%s\n' "$*" >&2; exit 1; }

needed=20.19.0
get_node="Bobine needs Node.js $needed or newer (24 is recommended)"
where_node="install it from https://nodejs.org or with your system's package manager"
command -v node > /dev/null || stop "$get_node: $where_node."
found=$(node --version) && found=${found#v}
[ "$(printf '%s\n%s\n' "$needed" "${found%%-*}" | sort -V | head -n 1)" = "$needed" ] || stop "$get_node, and this is $found: $where_node."

# Two starts in one checkout prepare it one after the other, where the system has flock.
prepare() {
  if [ ! -e node_modules/.package-lock.json ] || { ! cmp -s package-lock.json node_modules/.installed && [ package-lock.json -nt node_modules/.package-lock.json ]; }; then
    command -v npm > /dev/null || stop "npm was not found: install it (on Debian: sudo apt-get install npm)."
    echo 'Installing the packages'
    npm ci --include=dev --no-audit --no-fund || stop 'npm could not install the packages: see above.'
    cp package-lock.json node_modules/.installed
  fi
  if [ ! -e dist/.built ] || [ -n "$(find server shared client migrations scripts vite.config.ts tsconfig.json package-lock.json -newer dist/.built 2> /dev/null | head -n 1)" ]; then
    node --import tsx scripts/build.ts || stop 'The build failed: see above.'
  fi
}

if command -v flock > /dev/null; then
  { flock 9; prepare 9>&-; } 9< package.json || exit 1
else
  prepare
fi
