import { signal } from '@preact/signals'
import { Item } from './upload-item.ts'
import type { Draft } from './draft.ts'

/** The files of this visit, in the order they were chosen; they go on while one looks at other pages. */
export const queue = signal<Item[]>([])

/** Takes files into the queue; a file that is in it already is not taken twice. */
export function addFiles(
  files: Iterable<File>,
  defaults: Omit<Draft, 'name'>,
  maxChunkSize: number,
  uploadIdOf: (file: File) => string | null
): void {
  const known = new Set(queue.peek().map(item => key(item.file)))
  const fresh = [...files].filter(file => !known.has(key(file))).map(file => new Item(file, defaults, maxChunkSize, uploadIdOf(file)))
  queue.value = [...queue.peek(), ...fresh]
}

/** Takes a file out of the queue. */
export function removeItem(item: Item): void {
  queue.value = queue.peek().filter(one => one !== item)
}

addEventListener('beforeunload', event => {
  if (queue.peek().some(item => item.isBusy())) event.preventDefault()
})

function key(file: File): string {
  return `${file.name} ${file.size} ${file.lastModified}`
}
