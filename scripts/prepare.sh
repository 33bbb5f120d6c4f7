# Sourced by the commands beside it. Defines `ensure_packages` and `ensure_build`, which do only what is missing, and changes to the
# folder of the project.
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 1

stop() { printf '%s\n' "$*" >&2; exit 1; }

log=dist/prepare.log

# Prints the name and the duration of a step. The output of its command goes into a log; where the command fails, the end of the log is shown.
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

# Runs a command under a lock, so that two starts in one checkout prepare it one after the other, where the system has flock.
with_lock() {
  if command -v flock > /dev/null; then { flock 9 && "$@" 9>&-; } 9< package.json; else "$@"; fi
}

ensure_packages() { with_lock install_packages; }
ensure_build() { with_lock build_if_outdated; }

install_packages() {
  [ -e node_modules/.package-lock.json ] && { cmp -s package-lock.json node_modules/.installed || [ ! package-lock.json -nt node_modules/.package-lock.json ]; } && return
  command -v npm > /dev/null || stop 'npm was not found: install it (on Debian: sudo apt-get install npm).'
  step 'Installing the packages' npm ci --include=dev --no-audit --no-fund
  cp package-lock.json node_modules/.installed
}

build_if_outdated() {
  [ -e dist/.built ] && [ -z "$(find server shared client scripts vite.config.ts tsconfig.json package-lock.json -newer dist/.built 2> /dev/null | head -n 1)" ] && return
  step 'Building' node --import tsx scripts/build.ts
}
