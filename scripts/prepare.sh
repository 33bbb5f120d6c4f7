# Sourced by the commands beside it: `packages` and `build`, each doing only what is missing. Leaves us in the project's folder.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

stop() { printf '%s\n' "$*" >&2; exit 1; }

log=dist/prepare.log

# Says what is done and how long it took; what the command itself says goes into a log, whose end is shown where it fails.
step() {
  local name=$1 began=$SECONDS
  shift
  mkdir -p dist
  printf '%s ... ' "$name"
  if "$@" > "$log" 2>&1 < /dev/null; then printf '%s s\n' $((SECONDS - began)); return; fi
  echo failed
  tail -n 20 "$log" >&2
  stop "All of it is in $PWD/$log."
}

needed=20.19.0
why="Bobine needs Node.js $needed or newer (24 is recommended)"
how="install it from https://nodejs.org or with your system's package manager"
command -v node > /dev/null || stop "$why: $how."
found=$(node --version) && found=${found#v}
[ "$(printf '%s\n' "$needed" "${found%%-*}" | sort -V | head -n 1)" = "$needed" ] || stop "$why, and this is $found: $how."

# Two starts in one checkout prepare it one after the other, where the system has flock.
alone() {
  if command -v flock > /dev/null; then { flock 9 && "$@" 9>&-; } 9< package.json; else "$@"; fi
}

packages() { alone install_packages; }
build() { alone build_stale; }

install_packages() {
  [ -e node_modules/.package-lock.json ] && { cmp -s package-lock.json node_modules/.installed || [ ! package-lock.json -nt node_modules/.package-lock.json ]; } && return
  command -v npm > /dev/null || stop 'npm was not found: install it (on Debian: sudo apt-get install npm).'
  step 'Installing the packages' npm ci --include=dev --no-audit --no-fund
  cp package-lock.json node_modules/.installed
}

build_stale() {
  [ -e dist/.built ] && [ -z "$(find server shared client scripts vite.config.ts tsconfig.json package-lock.json -newer dist/.built 2> /dev/null | head -n 1)" ] && return
  step 'Building' node --import tsx scripts/build.ts
}
