import { constants } from 'node:fs'
import { copyFile, link, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { storageFolder } from '../core/config.ts'

/** Kinds of stored files; each is a key of the `storage` configuration. */
export type StoredFileKind = Parameters<typeof storageFolder>[0]

/** Returns the absolute path of a stored file. `name` must come from the database, never unchecked from a request. */
export function storedFilePath(kind: StoredFileKind, name: string): string {
  return join(storageFolder(kind), name)
}

/** Returns the folder of a video's HLS files. */
export function hlsFolder(uuid: string): string {
  return join(storageFolder('streaming_playlists'), 'hls', uuid)
}

/** Returns a path in `storage.tmp` for work in progress and creates that folder. */
export async function temporaryPath(name: string): Promise<string> {
  await mkdir(storageFolder('tmp'), { recursive: true })
  return join(storageFolder('tmp'), name)
}

/** Moves a finished file into the storage atomically, also from another file system; returns its new path. */
export async function moveIntoStorage(file: string, kind: StoredFileKind, name: string): Promise<string> {
  const target = storedFilePath(kind, name)
  await mkdir(dirname(target), { recursive: true })
  try {
    await rename(file, target)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EXDEV') throw error
    await copyFile(file, `${target}.part`, constants.COPYFILE_FICLONE)
    await rename(`${target}.part`, target)
    await rm(file)
  }
  return target
}

/** Hard-links a file into the storage, or copies it where links are not possible; returns the new path. */
export async function linkIntoStorage(file: string, kind: StoredFileKind, name: string): Promise<string> {
  const target = storedFilePath(kind, name)
  await mkdir(dirname(target), { recursive: true })
  try {
    await link(file, target)
  } catch {
    await copyFile(file, `${target}.part`, constants.COPYFILE_FICLONE)
    await rename(`${target}.part`, target)
  }
  return target
}

/** Removes stored files; missing ones are ignored. */
export async function removeStoredFiles(kind: StoredFileKind, names: (string | null)[]): Promise<void> {
  await Promise.all(names.filter(name => name !== null).map(async name => await rm(storedFilePath(kind, name), { force: true })))
}

/** Removes the folder of a video's HLS files. */
export async function removeHlsFolder(uuid: string): Promise<void> {
  await rm(hlsFolder(uuid), { recursive: true, force: true })
}

/** Returns the size of a file in bytes; 0 if it does not exist. */
export async function storedFileSize(path: string): Promise<number> {
  return await stat(path).then(
    stats => stats.size,
    () => 0
  )
}
