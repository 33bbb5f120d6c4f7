import { statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { config, storageFolder } from './config.ts'
import { Problem } from './problem.ts'

/** Returns how many bytes more the disk of a storage folder may take before less than `upload.keep_free` is left; Infinity if unknown. */
export async function usableDiskSpace(kind: Parameters<typeof storageFolder>[0]): Promise<number> {
  const disk = await measureDisk(storageFolder(kind))
  return disk ? disk.bavail * disk.bsize - Math.max(0, config.upload.keep_free) : Infinity
}

/** A folder that nothing was stored in yet may be missing: its disk is that of the folder above. */
async function measureDisk(folder: string): Promise<{ bavail: number; bsize: number } | null> {
  const parent = dirname(folder)
  return await statfs(folder).catch(async () => (parent === folder ? null : await measureDisk(parent)))
}

/** Throws 507 if `bytes` more would leave less than `upload.keep_free` on the disk of a storage folder. */
export async function assertDiskSpace(kind: Parameters<typeof storageFolder>[0], bytes: number): Promise<void> {
  if ((await usableDiskSpace(kind)) < bytes) throw insufficientStorage()
}

/** Returns the 507 for a file that the disk has no room for. */
export function insufficientStorage(): Problem {
  return new Problem(507, 'insufficient_storage', 'The server has no room for this file now.')
}
