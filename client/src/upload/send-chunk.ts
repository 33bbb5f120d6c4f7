import { ApiError, parseApiError } from '../api-error.ts'
import { accessToken } from '../credentials.ts'
import { parseReceivedBytes } from './chunk-size.ts'

/** What the server says to a piece: how much it has, or the video that the whole has become. */
export type UploadChunkResponse = { bytes: number } | { video: { id: number; uuid: string; shortUUID: string } }

/**
 * Sends bytes of a file to an upload, or asks how much arrived (`piece` null). Progress is told while it goes.
 * Throws ApiError; the request is cut when `signal` says so.
 */
export function sendUploadChunk(
  uploadId: string,
  size: number,
  piece: { blob: Blob; start: number } | null,
  signal: AbortSignal,
  onProgress: (sent: number) => void
): Promise<UploadChunkResponse> {
  return new Promise((resolve, reject) => {
    // fetch cannot tell how much of a body has left.
    const request = new XMLHttpRequest()
    request.open('PUT', `/api/v1/videos/upload-resumable?${new URLSearchParams({ uploadType: 'resumable', upload_id: uploadId })}`)
    request.setRequestHeader('Authorization', `Bearer ${accessToken()}`)
    request.setRequestHeader('Content-Type', 'application/octet-stream')
    request.setRequestHeader(
      'Content-Range',
      piece ? `bytes ${piece.start}-${piece.start + piece.blob.size - 1}/${size}` : `bytes */${size}`
    )
    request.upload.addEventListener('progress', event => onProgress(event.loaded))
    request.addEventListener('load', () => {
      if (request.status === 308) return resolve({ bytes: parseReceivedBytes(request.getResponseHeader('Range')) })
      if (request.status === 200) {
        try {
          return resolve(JSON.parse(request.responseText) as UploadChunkResponse)
        } catch {
          /* no answer of this server: falls through to a refusal */
        }
      }
      reject(parseApiError(request.status, request.responseText, request.getResponseHeader('Retry-After')))
    })
    request.addEventListener('error', () => reject(new ApiError(0, 'network', 'The server cannot be reached')))
    request.addEventListener('abort', () => reject(new ApiError(0, 'aborted', 'Cut')))
    if (signal.aborted) return reject(new ApiError(0, 'aborted', 'Cut'))
    signal.addEventListener('abort', () => request.abort(), { once: true })
    request.send(piece?.blob ?? null)
  })
}
