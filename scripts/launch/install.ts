import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { projectFolder } from '../../server/core/config.ts'
import { readLastLogLines } from './process.ts'
import { findOnPath, listPostgresFolders } from './programs.ts'
import { CliError } from './cli-error.ts'
import type { StepRunner } from './step.ts'

/** A system program that Bobine uses. */
export type SystemProgram = 'ffmpeg' | 'redis' | 'postgresql' | 'chromium' | 'nginx' | 'yt-dlp'

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
  // Only for comparison in benchmarks.
  nginx: { debian: 'nginx-light', fedora: 'nginx', macos: 'nginx', present: () => Boolean(findOnPath('nginx')) },
  // Only for tests: a client of the API.
  'yt-dlp': { debian: 'yt-dlp', fedora: 'yt-dlp', macos: 'yt-dlp', present: () => Boolean(findOnPath('yt-dlp')) }
}

/** Without this setting Debian's package creates a cluster of its own on port 5432. */
const DISABLE_DEFAULT_CLUSTER =
  'mkdir -p /etc/postgresql-common && grep -qs "^create_main_cluster *= *false" /etc/postgresql-common/createcluster.conf || echo "create_main_cluster = false" >> /etc/postgresql-common/createcluster.conf'

/** The output of apt, beside that of npm and the build (scripts/prepare.sh). */
const APT_LOG = join(projectFolder, 'dist/apt.log')

/** Installs missing programs through apt where that needs no password, as one step. Otherwise throws CliError with instructions. */
export async function ensurePrograms(programs: SystemProgram[], step: StepRunner): Promise<void> {
  const missing = programs.filter(program => !PACKAGES[program].present())
  if (missing.length === 0) return
  const rootPrefix = findRootPrefix()
  if (!findOnPath('apt-get') || !rootPrefix) throw new CliError(installInstructions(missing))
  const packages = missing.map(program => PACKAGES[program].debian)
  const commands = [
    ...(missing.includes('postgresql') ? [['sh', '-c', DISABLE_DEFAULT_CLUSTER]] : []),
    ['apt-get', 'update', '-q'],
    ['env', 'DEBIAN_FRONTEND=noninteractive', 'apt-get', 'install', '-q', '-y', '--no-install-recommends', ...packages]
  ]
  await step(`Installing ${packages.join(', ')}`, () => {
    for (const command of commands) runWithLog([...rootPrefix, ...command], `'${command.join(' ')}' failed.`, installInstructions(missing))
  })
  const stillMissing = missing.filter(program => !PACKAGES[program].present())
  if (stillMissing.length > 0) throw new CliError(installInstructions(stillMissing))
}

function runWithLog([command, ...parameters]: string[], failure: string, advice: string): void {
  mkdirSync(dirname(APT_LOG), { recursive: true })
  const logFd = openSync(APT_LOG, 'a')
  try {
    if (spawnSync(command!, parameters, { stdio: ['ignore', logFd, logFd] }).status !== 0)
      throw new CliError(`${readLastLogLines(APT_LOG, 5)}\n${failure} All of it is in ${APT_LOG}.\n${advice}`)
  } finally {
    closeSync(logFd)
  }
}

/** Returns the commands to type where programs cannot be installed automatically. */
export function installInstructions(missing: SystemProgram[]): string {
  const packagesOf = (system: 'debian' | 'fedora' | 'macos') => missing.map(program => PACKAGES[program][system]).join(' ')
  const rpmFusionNote = missing.includes('ffmpeg') ? '   (ffmpeg is in RPM Fusion: rpmfusion.org/Configuration)' : ''
  return [
    `Bobine needs ${missing.join(', ')}. Install what is missing and start again:`,
    `  Debian, Ubuntu:  sudo apt-get install ${packagesOf('debian')}`,
    `  Fedora:          sudo dnf install ${packagesOf('fedora')}${rpmFusionNote}`,
    `  macOS:           brew install ${packagesOf('macos')}`
  ].join('\n')
}

/** Returns the prefix of a command that runs as root; undefined where that would ask for a password. */
function findRootPrefix(): string[] | undefined {
  if (process.getuid?.() === 0) return []
  return findOnPath('sudo') && spawnSync('sudo', ['-n', 'true'], { stdio: 'ignore' }).status === 0 ? ['sudo', '-n'] : undefined
}
