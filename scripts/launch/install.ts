import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectFolder } from '../../server/core/config.ts'
import { readLastLogLines } from './process.ts'
import { findOnPath, listPostgresFolders } from './programs.ts'
import { CliError } from './cli-error.ts'
import type { StepRunner } from './step.ts'

/** A program of the system that Bobine uses. */
export type SystemProgram = 'ffmpeg' | 'redis' | 'postgresql' | 'chromium' | 'nginx'

const PACKAGES: Record<SystemProgram, { debian: string; fedora: string; macos: string; present: () => boolean }> = {
  ffmpeg: { debian: 'ffmpeg', fedora: 'ffmpeg', macos: 'ffmpeg', present: () => Boolean(findOnPath('ffmpeg') && findOnPath('ffprobe')) },
  redis: {
    debian: 'redis-server',
    fedora: 'valkey',
    macos: 'redis',
    present: () => Boolean(findOnPath('redis-server') ?? findOnPath('valkey-server'))
  },
  postgresql: {
    debian: 'postgresql',
    fedora: 'postgresql-server postgresql-contrib',
    macos: 'postgresql@17',
    present: () => listPostgresFolders().length > 0
  },
  chromium: {
    debian: 'chromium-headless-shell',
    fedora: 'chromium-headless',
    macos: '--cask chromium',
    present: () =>
      ['chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome'].some(findOnPath) || process.platform === 'darwin'
  },
  // Only to be measured against.
  nginx: { debian: 'nginx-light', fedora: 'nginx', macos: 'nginx', present: () => Boolean(findOnPath('nginx')) }
}

/** Without this Debian's package starts a cluster of its own on port 5432. */
const NO_CLUSTER =
  'mkdir -p /etc/postgresql-common && grep -qs "^create_main_cluster *= *false" /etc/postgresql-common/createcluster.conf || echo "create_main_cluster = false" >> /etc/postgresql-common/createcluster.conf'

/** What apt said when it was last asked, beside what npm and the build did (scripts/prepare.sh). */
const LOG = join(projectFolder, 'dist/apt.log')

/**
 * Installs what is missing through apt where that is allowed without a password, told as one step; otherwise refuses, telling what to
 * install.
 */
export async function ensurePrograms(programs: SystemProgram[], step: StepRunner): Promise<void> {
  const missing = programs.filter(program => !PACKAGES[program].present())
  if (missing.length === 0) return
  const become = rights()
  if (!findOnPath('apt-get') || !become) throw new CliError(installInstructions(missing))
  const packages = missing.map(program => PACKAGES[program].debian)
  const commands = [
    ...(missing.includes('postgresql') ? [['sh', '-c', NO_CLUSTER]] : []),
    ['apt-get', 'update', '-q'],
    ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-q', '-y', '--no-install-recommends', ...packages]
  ]
  await step(`Installing ${packages.join(', ')}`, () => {
    for (const command of commands) runLogged([...become, ...command], `'${command.join(' ')}' failed.`, installInstructions(missing))
  })
  const still = missing.filter(program => !PACKAGES[program].present())
  if (still.length > 0) throw new CliError(installInstructions(still))
}

function runLogged([command, ...parameters]: string[], failure: string, advice: string): void {
  mkdirSync(dirname(LOG), { recursive: true })
  const out = openSync(LOG, 'a')
  try {
    if (spawnSync(command!, parameters, { stdio: ['ignore', out, out] }).status !== 0)
      throw new CliError(`${readLastLogLines(LOG, 5)}\n${failure} All of it is in ${LOG}.\n${advice}`)
  } finally {
    closeSync(out)
  }
}

/** What to type where we may not, or cannot, install by ourselves. */
export function installInstructions(missing: SystemProgram[]): string {
  const list = (system: 'debian' | 'fedora' | 'macos') => missing.map(program => PACKAGES[program][system]).join(' ')
  const fusion = missing.includes('ffmpeg') ? '   (ffmpeg is in RPM Fusion: rpmfusion.org/Configuration)' : ''
  return [
    `Bobine needs ${missing.join(', ')}. Install what is missing and start again:`,
    `  Debian, Ubuntu:  sudo apt-get install ${list('debian')}`,
    `  Fedora:          sudo dnf install ${list('fedora')}${fusion}`,
    `  macOS:           brew install ${list('macos')}`
  ].join('\n')
}

/** The words before a command that make it root's; undefined where that would ask for a password. */
function rights(): string[] | undefined {
  if (process.getuid?.() === 0) return []
  return findOnPath('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}
