import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'
import type { UploadDraft } from './draft.ts'

/** An upload begun in this browser: where it goes, what was written about it so far, and the title and time it was begun with. */
export type SavedUpload = { uploadId: string; draft: UploadDraft; begunAs: string; begunAt: number }

const KEPT_FOR = 14 * 24 * 3600 * 1000

/** What tells a file from others without reading it whole. */
export function fileFingerprint(file: File): string {
  return `${file.name} ${file.size} ${file.lastModified}`
}

/** The upload that was begun with this file. */
export function findSavedUpload(file: File): SavedUpload | null {
  return all()[fileFingerprint(file)] ?? null
}

/** Remembers an upload, to go on with it after a closed tab. */
export function saveUpload(file: File, upload: SavedUpload): void {
  const young = Object.fromEntries(Object.entries(all()).filter(([, { begunAt }]) => Date.now() - begunAt < KEPT_FOR))
  writeLocalStorage('uploads', { ...young, [fileFingerprint(file)]: upload })
}

/** Forgets an upload that is done or given up. */
export function deleteSavedUpload(uploadId: string): void {
  writeLocalStorage('uploads', Object.fromEntries(Object.entries(all()).filter(([, upload]) => upload.uploadId !== uploadId)))
}

function all(): Record<string, SavedUpload> {
  return readLocalStorage<Record<string, SavedUpload>>('uploads') ?? {}
}
