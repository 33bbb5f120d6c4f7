import { linkSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isAlive, markOf, readMark } from './process.ts'

/**
 * Takes a lock that a dead holder loses, however it died. Returns the function that gives it back, or the pid of the living holder.
 */
export function takeLock(file: string): (() => void) | number {
  mkdirSync(dirname(file), { recursive: true })
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, JSON.stringify(markOf(process.pid)))
  try {
    for (;;) {
      // link() is the one call that makes a file with its content or fails when it exists.
      if (linked(mine, file)) return () => rmSync(file, { force: true })
      const holder = readMark(file)
      if (holder && isAlive(holder)) return holder.pid
      const dead = `${file}.dead.${process.pid}`
      if (!renamed(file, dead)) continue
      // Between the look and the rename another launcher may have cleared the same dead lock and taken its own: hand that one back.
      const moved = readMark(dead)
      if (moved && isAlive(moved)) linked(dead, file)
      rmSync(dead, { force: true })
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

function linked(from: string, to: string): boolean {
  return succeeds(() => linkSync(from, to), 'EEXIST')
}

function renamed(from: string, to: string): boolean {
  return succeeds(() => renameSync(from, to), 'ENOENT')
}

function succeeds(act: () => void, expected: string): boolean {
  try {
    act()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === expected) return false
    throw error
  }
}
