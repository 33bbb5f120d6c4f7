import type { Request, Response } from 'express'
import { notFound } from '../core/problem.ts'
import { sendStoredFile } from '../core/send-file.ts'
import { storedFilePath } from '../storage/disk.ts'
import { getCachedRemoteFile, type RemoteFileKind } from './remote-file-cache.ts'

/**
 * Sends a file of another server through the cache. `name` and `url` come from one stored row, never from a request
 * (docs/federation.md#files-of-other-servers). Throws 404 if it cannot be had.
 */
export async function sendRemoteFile(
  request: Request,
  response: Response,
  { name, url, kind }: { name: string; url: string; kind: RemoteFileKind },
  cacheControl: string
): Promise<void> {
  const cached = await getCachedRemoteFile(name, url, kind)
  if (!cached) throw notFound('File')
  await sendStoredFile(request, response, storedFilePath('cache', cached), cacheControl)
}
