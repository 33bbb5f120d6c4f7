import { stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { config, storageFolder } from './config.ts'
import { Problem } from './problem.ts'

type StorageKind = Parameters<typeof storageFolder>[0]

/** Returns how many bytes more the disk of a storage folder may take before less than `upload.keep_free` is left; Infinity if unknown. */
export async function usableDiskSpace(kind: StorageKind): Promise<number> {
  const disk = await atNearestFolder(storageFolder(kind), async folder => await statfs(folder))
  return disk ? disk.bavail * disk.bsize - Math.max(0, config.upload.keep_free) : Infinity
}

/** Whether two storage folders share a disk. */
export async function areOnOneDisk(one: StorageKind, other: StorageKind): Promise<boolean> {
  const [first, second] = await Promise.all(
    [one, other].map(async kind => await atNearestFolder(storageFolder(kind), async folder => await stat(folder)))
  )
  return first?.dev === second?.dev
}

/** A folder that nothing was stored in yet may be missing: its disk is that of the folder above. Null if none can be read. */
async function atNearestFolder<T>(folder: string, read: (folder: string) => Promise<T>): Promise<T | null> {
  const parent = dirname(folder)
  return await read(folder).catch(async () => (parent === folder ? null : await atNearestFolder(parent, read)))
}

/** Throws 507 if `bytes` more would leave less than `upload.keep_free` on the disk of a storage folder. */
export async function assertDiskSpace(kind: StorageKind, bytes: number): Promise<void> {
  if ((await usableDiskSpace(kind)) < bytes) throw insufficientStorage()
}

const DISK_FULL_CODES = ['ENOSPC', 'EDQUOT', 'disk_full']

/** Whether an error says that a disk, or what a quota leaves of it, is full: one of a system call, or of a program (`disk_full`). */
export function isDiskFullError(error: unknown): boolean {
  return error instanceof Error && DISK_FULL_CODES.includes(String((error as NodeJS.ErrnoException).code))
}

/** Returns the 507 for a file that the disk has no room for. */
export function insufficientStorage(): Problem {
  return new Problem(507, 'insufficient_storage', 'The server has no room for this file now.')
}
