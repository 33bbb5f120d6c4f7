import { rm } from 'node:fs/promises'
import type { Options } from 'multer'

type TemporaryFile = { path: string }

const derivedFiles = new WeakMap<TemporaryFile, string[]>()

/** Has a temporary file that is made of a received one removed together with it, after the response, unless it was moved. */
export function removeWithReceivedFile(file: TemporaryFile, path: string): void {
  derivedFiles.set(file, [...(derivedFiles.get(file) ?? []), path])
}

/** Removes received files, and what was made of them, that nobody moved. */
export async function removeReceivedFiles(files: TemporaryFile[]): Promise<void> {
  const paths = files.flatMap(file => [file.path, ...(derivedFiles.get(file) ?? [])])
  await Promise.all(paths.map(async path => await rm(path, { force: true })))
}

/** Browsers send the bytes of UTF-8, which the parser reads as Latin-1; others send Latin-1, or the extended form (RFC 8187). */
export function decodeFileName(name: string): string {
  if (/[^\0-\xff]/.test(name)) return name
  const text = Buffer.from(name, 'latin1').toString('utf8')
  return text.includes('\uFFFD') ? name : text
}

/** Refuses files whose field or name holds a NUL, which neither file systems nor Postgres store. */
export const refuseUnstorableNames: Options['fileFilter'] = (_request, file, done) => {
  if (`${file.fieldname}${file.originalname}`.includes('\0')) done(new Error('A name holds a NUL character'))
  else done(null, true)
}
