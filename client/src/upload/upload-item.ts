import { effect, signal } from '@preact/signals'
import type { TranscodingProgress } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import type { ApiError } from '../api-error.ts'
import { pollTranscoding } from '../videos/poll-transcoding.ts'
import { titleFromFilename, type UploadDraft } from './draft.ts'
import { findSavedUpload } from './saved-uploads.ts'
import { UploadTransfer } from './transfer.ts'

/** Whether a video is to be published: not asked for yet, asked for, under way, done, refused. */
export type PublishingStatus = 'open' | 'wanted' | 'busy' | 'done' | 'failed'

/** A file, what is written about it, its way to the server, and its encoding there. */
export class UploadItem {
  readonly file: File
  readonly draft
  readonly transfer: UploadTransfer
  readonly progress = signal<TranscodingProgress | null>(null)
  readonly publishing = signal<PublishingStatus>('open')
  readonly problem = signal<ApiError | null>(null)
  readonly #leave: () => void

  constructor(file: File, defaults: Omit<UploadDraft, 'name'>, maxChunkSize: number, uploadId: string | null) {
    this.file = file
    this.draft = signal<UploadDraft>(findSavedUpload(file)?.draft ?? { ...defaults, name: titleFromFilename(file.name) })
    this.transfer = new UploadTransfer(file, this.draft.peek(), maxChunkSize, uploadId)
    const stops = [
      effect(() => this.transfer.keepDraft(this.draft.value)),
      effect(() => {
        const video = this.transfer.video.value
        return video
          ? pollTranscoding(video.uuid, progress => {
              this.progress.value = progress
            })
          : undefined
      }),
      effect(() => {
        if (this.transfer.video.value && this.publishing.value === 'wanted') void this.#publish()
      })
    ]
    this.#leave = () => {
      for (const stop of stops) stop()
    }
  }

  /** Publishes as the draft says, as soon as the file is there. */
  publish(): void {
    if (this.publishing.peek() !== 'busy') this.publishing.value = 'wanted'
  }

  /** Whether leaving the site now would interrupt something. */
  isBusy(): boolean {
    const sending = ['starting', 'sending', 'offline', 'paused', 'checking'].includes(this.transfer.state.peek())
    return sending || ['wanted', 'busy'].includes(this.publishing.peek())
  }

  /** Gives the file up, or stops looking after a video that is made. */
  async drop(): Promise<void> {
    this.#leave()
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
      this.problem.value = null
      this.publishing.value = 'done'
    } catch (error) {
      this.problem.value = error as ApiError
      this.publishing.value = 'failed'
    }
  }
}
