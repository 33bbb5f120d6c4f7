import { constants } from 'node:fs'
import { copyFile, link, mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { storageFolder } from '../core/config.ts'

/** The kinds of stored files; each is a key of `storage`. */
export type StoredFileKind = Parameters<typeof storageFolder>[0]

/** The absolute path of a stored file. Names come from rows, never from requests. */
export function storedFilePath(kind: StoredFileKind, name: string): string {
  return join(storageFolder(kind), name)
}

/** The folder of a video's HLS files. */
export function hlsFolder(uuid: string): string {
  return join(storageFolder('streaming_playlists'), 'hls', uuid)
}

/** A path in `storage.tmp` for work in progress; its folder exists. */
export async function temporaryPath(name: string): Promise<string> {
  await mkdir(storageFolder('tmp'), { recursive: true })
  return join(storageFolder('tmp'), name)
}

/** Moves a finished file into the storage, also from another file system; it is there whole or not at all. */
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

/** Gives a file a second name in the storage, so that neither name's loss loses the bytes (a copy where links are not possible). */
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

/** Removes stored files; one that is gone already is no error. */
export async function removeStoredFiles(kind: StoredFileKind, names: (string | null)[]): Promise<void> {
  await Promise.all(names.filter(name => name !== null).map(async name => await rm(storedFilePath(kind, name), { force: true })))
}

/** Removes a video's folder of HLS files. */
export async function removeHlsFolder(uuid: string): Promise<void> {
  await rm(hlsFolder(uuid), { recursive: true, force: true })
}

/** Bytes of a stored file; 0 if it is not there. */
export async function storedFileSize(path: string): Promise<number> {
  return await stat(path).then(
    found => found.size,
    () => 0
  )
}
