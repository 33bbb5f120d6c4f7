import { ApiError, parseApiError } from '../api-error.ts'
import { accessToken } from '../credentials.ts'
import { parseReceivedBytes } from './chunk-size.ts'

/** The response to a chunk: how many bytes the server has received, or the video after the last chunk. */
export type UploadChunkResponse = { bytes: number } | { video: { id: number; uuid: string; shortUUID: string } }

/**
 * Sends a chunk of a file to an upload, or queries how much the server has received (`chunk` null). `onProgress` receives the bytes of the
 * chunk sent so far. Rejects with ApiError, with code `aborted` when `signal` aborts the request.
 */
export function sendUploadChunk(
  uploadId: string,
  size: number,
  chunk: { blob: Blob; start: number } | null,
  signal: AbortSignal,
  onProgress: (sent: number) => void
): Promise<UploadChunkResponse> {
  return new Promise((resolve, reject) => {
    // fetch does not report upload progress.
    const request = new XMLHttpRequest()
    request.open('PUT', `/api/v1/videos/upload-resumable?${new URLSearchParams({ uploadType: 'resumable', upload_id: uploadId })}`)
    request.setRequestHeader('Authorization', `Bearer ${accessToken()}`)
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    request.setRequestHeader(
      'Content-Range',
      chunk ? `bytes ${chunk.start}-${chunk.start + chunk.blob.size - 1}/${size}` : `bytes */${size}`
    )
    request.upload.addEventListener('progress', event => onProgress(event.loaded))
    request.addEventListener('load', () => {
      if (request.status === 308) return resolve({ bytes: parseReceivedBytes(request.getResponseHeader('Range')) })
      if (request.status === 200) {
        try {
          return resolve(JSON.parse(request.responseText) as UploadChunkResponse)
        } catch {
          /* not a response of this server, therefore an error */
        }
      }
      reject(parseApiError(request.status, request.responseText, request.getResponseHeader('Retry-After')))
    })
    request.addEventListener('error', () => reject(new ApiError(0, 'network', 'The server cannot be reached')))
    request.addEventListener('abort', () => reject(new ApiError(0, 'aborted', 'Cut')))
    if (signal.aborted) return reject(new ApiError(0, 'aborted', 'Cut'))
    const abort = (): void => request.abort()
    signal.addEventListener('abort', abort)
    // The signal lives as long as the upload, through any number of chunks.
    request.addEventListener('loadend', () => signal.removeEventListener('abort', abort))
    request.send(chunk?.blob ?? null)
  })
}
