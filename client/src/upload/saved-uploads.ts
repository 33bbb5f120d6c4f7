import { readLocalStorage, writeLocalStorage } from '../browser-storage.ts'
import type { UploadDraft } from './draft.ts'

/** An upload started in this browser: its id at the server, its draft, and the title and time (milliseconds) that it was started with. */
export type SavedUpload = { uploadId: string; draft: UploadDraft; begunAs: string; begunAt: number }

const MAX_AGE_MS = 14 * 24 * 3600 * 1000

/** Returns a key that identifies a file without reading its content: name, size and modification time. */
export function fileFingerprint(file: File): string {
  return `${file.name} ${file.size} ${file.lastModified}`
}

/** Returns the saved upload of this file; null without one. */
export function findSavedUpload(file: File): SavedUpload | null {
  return readSavedUploads()[fileFingerprint(file)] ?? null
}

/** Saves an upload in this browser, so that it can be resumed in another tab; drops those older than 14 days. */
export function saveUpload(file: File, upload: SavedUpload): void {
  const recent = Object.fromEntries(Object.entries(readSavedUploads()).filter(([, { begunAt }]) => Date.now() - begunAt < MAX_AGE_MS))
  writeLocalStorage('uploads', { ...recent, [fileFingerprint(file)]: upload })
}

/** Deletes a saved upload that has finished or was cancelled. */
export function deleteSavedUpload(uploadId: string): void {
  writeLocalStorage('uploads', Object.fromEntries(Object.entries(readSavedUploads()).filter(([, upload]) => upload.uploadId !== uploadId)))
}

function readSavedUploads(): Record<string, SavedUpload> {
  return readLocalStorage<Record<string, SavedUpload>>('uploads') ?? {}
}
