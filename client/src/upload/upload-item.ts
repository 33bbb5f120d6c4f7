import { effect, signal } from '@preact/signals'
import type { TranscodingProgress } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import type { ApiError } from '../api-error.ts'
import { pollTranscoding } from '../videos/poll-transcoding.ts'
import { titleFromFilename, type UploadDraft } from './draft.ts'
import { findSavedUpload } from './saved-uploads.ts'
import { UploadTransfer } from './transfer.ts'

/** Whether the user has requested to publish a video, and the status of that. */
export type PublishingStatus = 'notRequested' | 'requested' | 'busy' | 'done' | 'failed'

/** A file of the upload queue: its draft, its transfer to the server, its transcoding there, and its publication. */
export class UploadItem {
  readonly file: File
  readonly draft
  readonly transfer: UploadTransfer
  readonly progress = signal<TranscodingProgress | null>(null)
  readonly publishing = signal<PublishingStatus>('notRequested')
  readonly error = signal<ApiError | null>(null)
  readonly #disposeEffects: () => void

  constructor(file: File, defaults: Omit<UploadDraft, 'name'>, maxChunkSize: number, uploadId: string | null) {
    this.file = file
    this.draft = signal<UploadDraft>(findSavedUpload(file)?.draft ?? { ...defaults, name: titleFromFilename(file.name) })
    this.transfer = new UploadTransfer(file, this.draft.peek(), maxChunkSize, uploadId)
    const disposers = [
      effect(() => this.transfer.saveDraft(this.draft.value)),
      effect(() => {
        const video = this.transfer.video.value
        return video
          ? pollTranscoding(video.uuid, progress => {
              this.progress.value = progress
            })
          : undefined
      }),
      effect(() => {
        if (this.transfer.video.value && this.publishing.value === 'requested') void this.#publish()
      })
    ]
    this.#disposeEffects = () => {
      for (const dispose of disposers) dispose()
    }
  }

  /** Publishes the video with its draft as soon as the upload has finished. */
  publish(): void {
    if (this.publishing.peek() !== 'busy') this.publishing.value = 'requested'
  }

  /** Whether leaving the site now would interrupt the upload or the publication. */
  isBusy(): boolean {
    const sending = ['starting', 'sending', 'offline', 'paused', 'checking'].includes(this.transfer.status.peek())
    return sending || ['requested', 'busy'].includes(this.publishing.peek())
  }

  /** Cancels an unfinished upload; for a finished one it only stops the polling. */
  async discard(): Promise<void> {
    this.#disposeEffects()
    if (!this.transfer.video.peek()) await this.transfer.cancel()
  }

  async #publish(): Promise<void> {
    const { name, description, privacy, password, channelId } = this.draft.peek()
    this.publishing.value = 'busy'
    try {
      await api('PUT /videos/:id', {
        params: { id: this.transfer.video.peek()!.uuid },
        body: {
          name: name.trim(),
          description: description.trim() || null,
          privacy,
          channelId,
          ...(privacy === 5 ? { videoPasswords: [password] } : {})
        }
      })
      this.error.value = null
      this.publishing.value = 'done'
    } catch (error) {
      this.error.value = error as ApiError
      this.publishing.value = 'failed'
    }
  }
}
