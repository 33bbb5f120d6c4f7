import { signal } from '@preact/signals'
import { api, sendRequest } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { accessToken, refreshSession } from '../credentials.ts'
import type { UploadDraft } from './draft.ts'
import { UploadChunkSize } from './chunk-size.ts'
import { RetryWait } from './retry-wait.ts'
import { deleteSavedUpload, findSavedUpload, saveUpload } from './saved-uploads.ts'
import { sendUploadChunk } from './send-chunk.ts'
import { TransferSpeed } from './transfer-speed.ts'

/** The status of a transfer. `offline` retries by itself; `checking`: all bytes are sent, the server validates the file. */
export type TransferStatus = 'starting' | 'sending' | 'offline' | 'paused' | 'checking' | 'done' | 'failed' | 'cancelled'
/** The ids of the video that the server created from a file. */
export type FinishedUpload = { id: number; uuid: string; shortUUID: string }

const MIN_RETRY_MS = 1000
const MAX_RETRY_MS = 30_000
/** The number of consecutive 5xx responses other than 503 after which the upload fails. */
const MAX_SERVER_FAILURES = 8
const SERVICE_UNAVAILABLE = 503
const INSUFFICIENT_STORAGE = 507
const MAX_CLOCK_SKEW_MS = 60_000

/** The resumable upload of one file in chunks; continues after lost connections, restarts of the server and closed tabs. */
export class UploadTransfer {
  readonly file: File
  readonly status = signal<TransferStatus>('starting')
  /** Bytes. */
  readonly sent = signal(0)
  /** Current bytes per second; null while unknown. */
  readonly speed = signal<number | null>(null)
  readonly error = signal<ApiError | null>(null)
  readonly video = signal<FinishedUpload | null>(null)
  readonly #chunkSize: UploadChunkSize
  readonly #speed = new TransferSpeed()
  readonly #retry = new RetryWait()
  #uploadId: string | null
  #draft: UploadDraft
  #abort = new AbortController()
  #serverFailures = 0

  /** Starts the transfer. `uploadId`: the id of an upload at the server to resume; null for a new one or one saved in this browser. */
  constructor(file: File, draft: UploadDraft, maxChunkSize: number, uploadId: string | null) {
    this.file = file
    this.#draft = draft
    this.#chunkSize = new UploadChunkSize(maxChunkSize)
    this.#uploadId = uploadId ?? findSavedUpload(file)?.uploadId ?? null
    addEventListener('online', this.#onOnline)
    void this.#run()
  }

  /** Saves the draft in this browser in case the tab is closed. */
  saveDraft(draft: UploadDraft): void {
    this.#draft = draft
    const saved = findSavedUpload(this.file)
    if (saved && saved.uploadId === this.#uploadId) saveUpload(this.file, { ...saved, draft })
  }

  pause(): void {
    if (!['starting', 'sending', 'offline'].includes(this.status.peek())) return
    this.status.value = 'paused'
    this.#abort.abort()
  }

  resume(): void {
    if (this.status.peek() !== 'paused') return
    this.#abort = new AbortController()
    this.status.value = 'starting'
    void this.#run()
  }

  /** Cancels the upload and deletes what the server has received. */
  async cancel(): Promise<void> {
    this.status.value = 'cancelled'
    this.#abort.abort()
    this.#removeListeners()
    const uploadId = this.#uploadId
    if (!uploadId) return
    deleteSavedUpload(uploadId)
    await api('DELETE /videos/upload-resumable', { query: { upload_id: uploadId } }).catch(() => {
      /* the server deletes abandoned uploads */
    })
  }

  async #run(): Promise<void> {
    const { signal: abortSignal } = this.#abort
    let retryMs = MIN_RETRY_MS
    while (!abortSignal.aborted) {
      try {
        await this.#uploadRemaining(abortSignal, () => {
          retryMs = MIN_RETRY_MS
          this.#serverFailures = 0
        })
        return
      } catch (error) {
        if (abortSignal.aborted) return
        const apiError = error instanceof ApiError ? error : new ApiError(0, 'broken', String(error))
        if (!(await this.#prepareRetry(apiError))) return this.#fail(apiError)
        this.#speed.reset()
        this.speed.value = null
        if (apiError.status === 0 || apiError.status >= 500) {
          this.#chunkSize.recordFailure()
          this.status.value = 'offline'
        }
        await this.#retry.wait((apiError.retryAfter ?? 0) * 1000 || retryMs, abortSignal)
        retryMs = Math.min(retryMs * 2, MAX_RETRY_MS)
      }
    }
  }

  /** Uploads everything that the server has not received; throws at the first error. `onChunk` is called after every chunk. */
  async #uploadRemaining(abortSignal: AbortSignal, onChunk: () => void): Promise<void> {
    const { file } = this
    if (this.#uploadId === null) await this.#createUpload()
    let response = await sendUploadChunk(this.#uploadId!, file.size, null, abortSignal, () => {}).catch(async (error: unknown) => {
      const video = error instanceof ApiError && error.status === 404 ? await this.#findFinishedVideo() : null
      if (!video) throw error
      return { video }
    })
    while (!('video' in response)) {
      const start = response.bytes
      const blob = file.slice(start, start + this.#chunkSize.size)
      this.sent.value = start
      this.status.value = start + blob.size >= file.size ? 'checking' : 'sending'
      const startedAt = performance.now()
      this.#speed.dropStale()
      response = await sendUploadChunk(this.#uploadId!, file.size, { blob, start }, abortSignal, sent => {
        this.sent.value = Math.min(file.size, start + sent)
        this.#speed.record(this.sent.peek())
        this.speed.value = this.#speed.bytesPerSecond()
        if (this.sent.peek() < file.size) this.status.value = 'sending'
        else this.status.value = 'checking'
      })
      this.#chunkSize.recordSuccess(blob.size, performance.now() - startedAt)
      onChunk()
    }
    this.sent.value = file.size
    this.video.value = response.video
    this.status.value = 'done'
    deleteSavedUpload(this.#uploadId!)
    this.#removeListeners()
  }

  async #createUpload(): Promise<void> {
    const { name, channelId } = this.#draft
    // Private until the user publishes it: a closed tab must not publish anything.
    const response = await sendRequest('POST /videos/upload-resumable', {
      body: { name, channelId, privacy: 3, waitTranscoding: false, filename: this.file.name },
      headers: { 'X-Upload-Content-Length': String(this.file.size), 'X-Upload-Content-Type': this.file.type || 'application/octet-stream' }
    })
    const uploadId = new URL(response.headers.get('Location') ?? '', location.href).searchParams.get('upload_id')
    if (!uploadId) throw new ApiError(502, null, 'No address to upload to')
    this.#uploadId = uploadId
    saveUpload(this.file, { uploadId, draft: this.#draft, begunAs: name.trim(), begunAt: Date.now() })
  }

  /** Finds the video that this upload has already become, when only the response to the last chunk was lost; null without one. */
  async #findFinishedVideo(): Promise<FinishedUpload | null> {
    const saved = findSavedUpload(this.file)
    if (saved?.uploadId !== this.#uploadId) return null
    const { data } = await api('GET /users/me/videos', { query: { sort: '-createdAt', count: 20 } })
    const finished = data.find(video => video.name === saved.begunAs && Date.parse(video.createdAt) >= saved.begunAt - MAX_CLOCK_SKEW_MS)
    return finished ? { id: finished.id, uuid: finished.uuid, shortUUID: finished.shortUUID } : null
  }

  /** Returns whether to retry after an error; first refreshes the session (401), or forgets an upload id that is no longer valid. */
  async #prepareRetry({ status }: ApiError): Promise<boolean> {
    if (status === 401)
      return await refreshSession(accessToken() ?? '').then(
        token => token !== null,
        () => true
      )
    if ((status === 404 || status === 403) && this.#uploadId !== null) {
      // The upload was deleted after a long time, or belongs to another user: starts again from the beginning.
      deleteSavedUpload(this.#uploadId)
      this.#uploadId = null
      return true
    }
    // The server says that it is away for a moment: that may last, as a lost connection may.
    if (status === SERVICE_UNAVAILABLE) return true
    if (status >= 500) return status !== INSUFFICIENT_STORAGE && ++this.#serverFailures < MAX_SERVER_FAILURES
    return status === 0 || status === 408 || status === 409 || status === 429
  }

  #fail(error: ApiError): void {
    this.error.value = error
    this.status.value = 'failed'
    if (this.#uploadId) deleteSavedUpload(this.#uploadId)
    this.#removeListeners()
  }

  readonly #onOnline = (): void => this.#retry.end()

  #removeListeners(): void {
    removeEventListener('online', this.#onOnline)
  }
}
