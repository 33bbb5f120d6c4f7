import { signal } from '@preact/signals'
import { UploadItem } from './upload-item.ts'
import type { UploadDraft } from './draft.ts'
import { fileFingerprint } from './saved-uploads.ts'

/** The files chosen since the site was opened, in that order; uploads continue while other pages are open. */
export const uploadQueue = signal<UploadItem[]>([])

/** Adds files to the queue; skips those that it contains already. `uploadIdOf` returns the unfinished upload of a file to resume. */
export function enqueueUploads(
  files: Iterable<File>,
  defaults: Omit<UploadDraft, 'name'>,
  maxChunkSize: number,
  uploadIdOf: (file: File) => string | null
): void {
  const queued = new Set(uploadQueue.peek().map(item => fileFingerprint(item.file)))
  const added = [...files]
    .filter(file => !queued.has(fileFingerprint(file)))
    .map(file => new UploadItem(file, defaults, maxChunkSize, uploadIdOf(file)))
  uploadQueue.value = [...uploadQueue.peek(), ...added]
}

/** Removes a file from the queue. */
export function removeFromUploadQueue(item: UploadItem): void {
  uploadQueue.value = uploadQueue.peek().filter(other => other !== item)
}

addEventListener('beforeunload', event => {
  if (uploadQueue.peek().some(item => item.isBusy())) event.preventDefault()
})
