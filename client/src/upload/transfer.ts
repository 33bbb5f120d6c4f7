import { signal } from '@preact/signals'
import { api, sendRequest } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { accessToken, refreshSession } from '../credentials.ts'
import type { UploadDraft } from './draft.ts'
import { UploadChunkSize } from './chunk-size.ts'
import { deleteSavedUpload, findSavedUpload, saveUpload } from './saved-uploads.ts'
import { sendUploadChunk } from './send-chunk.ts'
import { TransferSpeed } from './transfer-speed.ts'

/** Where a transfer stands. `offline` goes on by itself. */
export type TransferStatus = 'starting' | 'sending' | 'offline' | 'paused' | 'checking' | 'done' | 'refused' | 'gone'
/** The names of the video a file has become. */
export type FinishedUpload = { id: number; uuid: string; shortUUID: string }

const FIRST_WAIT = 1000
const LONGEST_WAIT = 30_000
/** So often the server may fail in a row before its word is taken. */
const FAILURES = 8
const NO_ROOM = 507
const CLOCKS_DIFFER = 60_000

/** One file on its way to the server, in pieces; it outlives lost connections, restarted servers and closed tabs. */
export class UploadTransfer {
  readonly file: File
  readonly state = signal<TransferStatus>('starting')
  readonly sent = signal(0)
  /** Bytes per second of late; null while unknown. */
  readonly speed = signal<number | null>(null)
  readonly refusal = signal<ApiError | null>(null)
  readonly video = signal<FinishedUpload | null>(null)
  readonly #pieces: UploadChunkSize
  readonly #speed = new TransferSpeed()
  #uploadId: string | null
  #draft: UploadDraft
  #stop = new AbortController()
  #wake: (() => void) | null = null
  #failures = 0

  /** `uploadId`: an upload the server knows already, to go on with. */
  constructor(file: File, draft: UploadDraft, maxChunkSize: number, uploadId: string | null) {
    this.file = file
    this.#draft = draft
    this.#pieces = new UploadChunkSize(maxChunkSize)
    this.#uploadId = uploadId ?? findSavedUpload(file)?.uploadId ?? null
    addEventListener('online', this.#online)
    void this.#run()
  }

  /** Keeps what is written about the video for the case that the tab is closed. */
  keepDraft(draft: UploadDraft): void {
    this.#draft = draft
    const known = findSavedUpload(this.file)
    if (known && known.uploadId === this.#uploadId) saveUpload(this.file, { ...known, draft })
  }

  pause(): void {
    if (!['starting', 'sending', 'offline'].includes(this.state.peek())) return
    this.state.value = 'paused'
    this.#stop.abort()
  }

  resume(): void {
    if (this.state.peek() !== 'paused') return
    this.#stop = new AbortController()
    this.state.value = 'starting'
    void this.#run()
  }

  /** Stops for good and lets the server forget what has arrived. */
  async cancel(): Promise<void> {
    this.state.value = 'gone'
    this.#stop.abort()
    this.#leave()
    const uploadId = this.#uploadId
    if (!uploadId) return
    deleteSavedUpload(uploadId)
    await api('DELETE /videos/upload-resumable', { query: { upload_id: uploadId } }).catch(() => {
      /* the server sweeps what is left alone */
    })
  }

  async #run(): Promise<void> {
    const { signal: stopped } = this.#stop
    let wait = FIRST_WAIT
    while (!stopped.aborted) {
      try {
        await this.#attempt(stopped, () => {
          wait = FIRST_WAIT
          this.#failures = 0
        })
        return
      } catch (error) {
        if (stopped.aborted) return
        const refusal = error instanceof ApiError ? error : new ApiError(0, 'broken', String(error))
        if (!(await this.#mayTryAgain(refusal))) return this.#refuse(refusal)
        this.#speed.pause()
        this.speed.value = null
        if (refusal.status === 0 || refusal.status >= 500) {
          this.#pieces.failed()
          this.state.value = 'offline'
        }
        await this.#rest((refusal.retryAfter ?? 0) * 1000 || wait, stopped)
        wait = Math.min(wait * 2, LONGEST_WAIT)
      }
    }
  }

  /** From where the server is to the end; throws when something is in the way. */
  async #attempt(stopped: AbortSignal, onProgress: () => void): Promise<void> {
    const { file } = this
    if (this.#uploadId === null) await this.#begin()
    let answer = await sendUploadChunk(this.#uploadId!, file.size, null, stopped, () => {}).catch(async (error: unknown) => {
      const video = error instanceof ApiError && error.status === 404 ? await this.#finishedBefore() : null
      if (!video) throw error
      return { video }
    })
    while (!('video' in answer)) {
      const start = answer.bytes
      const blob = file.slice(start, start + this.#pieces.size)
      this.sent.value = start
      this.state.value = start + blob.size >= file.size ? 'checking' : 'sending'
      const began = performance.now()
      this.#speed.resume()
      answer = await sendUploadChunk(this.#uploadId!, file.size, { blob, start }, stopped, sent => {
        this.sent.value = Math.min(file.size, start + sent)
        this.#speed.at(this.sent.peek())
        this.speed.value = this.#speed.perSecond()
        if (this.sent.peek() < file.size) this.state.value = 'sending'
        else this.state.value = 'checking'
      })
      this.#pieces.took(blob.size, performance.now() - began)
      onProgress()
    }
    this.sent.value = file.size
    this.video.value = answer.video
    this.state.value = 'done'
    deleteSavedUpload(this.#uploadId!)
    this.#leave()
  }

  async #begin(): Promise<void> {
    const { name, channelId } = this.#draft
    // Private until its owner says how it is to be published: a closed tab publishes nothing.
    const response = await sendRequest('POST /videos/upload-resumable', {
      body: { name, channelId, privacy: 3, waitTranscoding: false, filename: this.file.name },
      headers: { 'X-Upload-Content-Length': String(this.file.size), 'X-Upload-Content-Type': this.file.type || 'application/octet-stream' }
    })
    const uploadId = new URL(response.headers.get('Location') ?? '', location.href).searchParams.get('upload_id')
    if (!uploadId) throw new ApiError(502, null, 'No address to upload to')
    this.#uploadId = uploadId
    saveUpload(this.file, { uploadId, draft: this.#draft, begunAs: name.trim(), begunAt: Date.now() })
  }

  /** The video this upload has become already, where only the answer to its last piece was lost. */
  async #finishedBefore(): Promise<FinishedUpload | null> {
    const known = findSavedUpload(this.file)
    if (known?.uploadId !== this.#uploadId) return null
    const { data } = await api('GET /users/me/videos', { query: { sort: '-createdAt', count: 20 } })
    const made = data.find(video => video.name === known.begunAs && Date.parse(video.createdAt) >= known.begunAt - CLOCKS_DIFFER)
    return made ? { id: made.id, uuid: made.uuid, shortUUID: made.shortUUID } : null
  }

  async #mayTryAgain({ status }: ApiError): Promise<boolean> {
    if (status === 401)
      return await refreshSession(accessToken() ?? '').then(
        token => token !== null,
        () => true
      )
    if ((status === 404 || status === 403) && this.#uploadId !== null) {
      // Swept after a long time, or of another login: from the beginning.
      deleteSavedUpload(this.#uploadId)
      this.#uploadId = null
      return true
    }
    if (status >= 500) return status !== NO_ROOM && ++this.#failures < FAILURES
    return status === 0 || status === 408 || status === 409 || status === 429
  }

  async #rest(ms: number, stopped: AbortSignal): Promise<void> {
    await new Promise<void>(resolve => {
      const timer = setTimeout(resolve, ms)
      this.#wake = () => {
        clearTimeout(timer)
        resolve()
      }
      stopped.addEventListener('abort', () => this.#wake?.(), { once: true })
    })
    this.#wake = null
  }

  #refuse(refusal: ApiError): void {
    this.refusal.value = refusal
    this.state.value = 'refused'
    if (this.#uploadId) deleteSavedUpload(this.#uploadId)
    this.#leave()
  }

  readonly #online = (): void => this.#wake?.()

  #leave(): void {
    removeEventListener('online', this.#online)
  }
}
