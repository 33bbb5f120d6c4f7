import { linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { isProcessAlive, identifyProcess, readPidFile } from './process.ts'

/** Acquires a lock that is freed when its holder dies. Returns a function that releases it, or the pid of the living holder. */
export function acquireLockFile(file: string): (() => void) | number {
  mkdirSync(dirname(file), { recursive: true })
  const ownFile = `${file}.${process.pid}`
  writeFileSync(ownFile, JSON.stringify(identifyProcess(process.pid)))
  try {
    for (;;) {
      // link() atomically creates a file with its content, or fails when it exists.
      if (tryLink(ownFile, file)) return () => rmSync(file, { force: true })
      const holder = readPidFile(file)
      if (holder && isProcessAlive(holder)) return holder.pid
      removeDeadLock(file, ownFile)
    }
  } finally {
    rmSync(ownFile, { force: true })
  }
}

/**
 * Removes the lock of a dead holder, one process at a time: without this guard, another process might remove the same lock and acquire its
 * own between the check and the removal, and that one would be removed.
 */
function removeDeadLock(file: string, ownFile: string): void {
  const guard = `${file}.clearing`
  if (!tryLink(ownFile, guard)) {
    const guardHolder = readPidFile(guard)
    if (guardHolder && !isProcessAlive(guardHolder)) rmSync(guard, { force: true })
    return
  }
  try {
    const holder = readPidFile(file)
    if (holder ? !isProcessAlive(holder) : isDamaged(file)) rmSync(file, { force: true })
  } finally {
    rmSync(guard, { force: true })
  }
}

/** A lock file appears with its content, so one without a valid identity never had a holder; a missing file is not damaged. */
function isDamaged(file: string): boolean {
  return (
    succeedsUnless(() => {
      readFileSync(file)
    }, 'ENOENT') && readPidFile(file) === undefined
  )
}

function tryLink(from: string, to: string): boolean {
  return succeedsUnless(() => linkSync(from, to), 'EEXIST')
}

function succeedsUnless(operation: () => void, expected: string): boolean {
  try {
    operation()
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === expected) return false
    throw error
  }
}
