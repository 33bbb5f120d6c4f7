import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isProcessAlive, identifyProcess, readPidFile } from './process.ts'

/**
 * Takes a lock that a dead holder loses, however it died. Returns the function that gives it back, or the pid of the living holder.
 */
export function acquireLockFile(file: string): (() => void) | number {
  mkdirSync(dirname(file), { recursive: true })
  const mine = `${file}.${process.pid}`
  writeFileSync(mine, JSON.stringify(identifyProcess(process.pid)))
  try {
    for (;;) {
      // link() is the one call that makes a file with its content or fails when it exists.
      if (linked(mine, file)) return () => rmSync(file, { force: true })
      const holder = readPidFile(file)
      if (holder && isProcessAlive(holder)) return holder.pid
      clearDead(file, mine)
    }
  } finally {
    rmSync(mine, { force: true })
  }
}

/**
 * Removes the lock of a dead holder, one process at a time: between a look and a removal that nobody guards another may clear the same
 * lock and take its own, which would be removed then.
 */
function clearDead(file: string, mine: string): void {
  const guard = `${file}.clearing`
  if (!linked(mine, guard)) {
    const clearer = readPidFile(guard)
    if (clearer && !isProcessAlive(clearer)) rmSync(guard, { force: true })
    return
  }
  try {
    const holder = readPidFile(file)
    if (holder ? !isProcessAlive(holder) : isDamaged(file)) rmSync(file, { force: true })
  } finally {
    rmSync(guard, { force: true })
  }
}

/** A lock appears whole, so one without a mark never had a holder; one that is gone is not damaged. */
function isDamaged(file: string): boolean {
  return (
    succeeds(() => {
      readFileSync(file)
    }, 'ENOENT') && readPidFile(file) === undefined
  )
}

function linked(from: string, to: string): boolean {
  return succeeds(() => linkSync(from, to), 'EEXIST')
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
