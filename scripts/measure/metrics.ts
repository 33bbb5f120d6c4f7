import { spawnSync } from 'node:child_process'

/** The median; the upper one of an even number of values. */
export function median(values: number[]): number {
  return [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)]!
}

/** The current resident memory of a process, in MiB. */
export function residentMemoryMiB(pid: number): number {
  return Number(spawnSync('ps', ['-o', 'rss=', '-p', String(pid)], { encoding: 'utf8' }).stdout.trim()) / 1024
}
