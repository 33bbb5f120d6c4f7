import { read, write } from '../browser-storage.ts'
import type { Draft } from './draft.ts'

/** An upload begun in this browser: where it goes, what was written about it so far, and the title and time it was begun with. */
export type Remembered = { uploadId: string; draft: Draft; begunAs: string; begunAt: number }

const KEPT_FOR = 14 * 24 * 3600 * 1000

/** What tells a file from others without reading it whole. */
export function fingerprint(file: File): string {
  return `${file.name} ${file.size} ${file.lastModified}`
}

/** The upload that was begun with this file. */
export function recall(file: File): Remembered | null {
  return all()[fingerprint(file)] ?? null
}

/** Remembers an upload, to go on with it after a closed tab. */
export function remember(file: File, upload: Remembered): void {
  const young = Object.fromEntries(Object.entries(all()).filter(([, { begunAt }]) => Date.now() - begunAt < KEPT_FOR))
  write('uploads', { ...young, [fingerprint(file)]: upload })
}

/** Forgets an upload that is done or given up. */
export function forget(uploadId: string): void {
  write('uploads', Object.fromEntries(Object.entries(all()).filter(([, upload]) => upload.uploadId !== uploadId)))
}

function all(): Record<string, Remembered> {
  return read<Record<string, Remembered>>('uploads') ?? {}
}
