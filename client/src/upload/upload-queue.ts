import { signal } from '@preact/signals'
import { UploadItem } from './upload-item.ts'
import type { UploadDraft } from './draft.ts'

/** The files of this visit, in the order they were chosen; they go on while one looks at other pages. */
export const uploadQueue = signal<UploadItem[]>([])

/** Takes files into the queue; a file that is in it already is not taken twice. */
export function enqueueUploads(
  files: Iterable<File>,
  defaults: Omit<UploadDraft, 'name'>,
  maxChunkSize: number,
  uploadIdOf: (file: File) => string | null
): void {
  const known = new Set(uploadQueue.peek().map(item => key(item.file)))
  const fresh = [...files].filter(file => !known.has(key(file))).map(file => new UploadItem(file, defaults, maxChunkSize, uploadIdOf(file)))
  uploadQueue.value = [...uploadQueue.peek(), ...fresh]
}

/** Takes a file out of the queue. */
export function removeFromUploadQueue(item: UploadItem): void {
  uploadQueue.value = uploadQueue.peek().filter(one => one !== item)
}

addEventListener('beforeunload', event => {
  if (uploadQueue.peek().some(item => item.isBusy())) event.preventDefault()
})

function key(file: File): string {
  return `${file.name} ${file.size} ${file.lastModified}`
}
