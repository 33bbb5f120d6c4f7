import type { JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'
import type { VideoDetails } from '../../../shared/videos.ts'
import { api } from '../api.ts'
import { ApiError } from '../api-error.ts'
import { t } from '../i18n/i18n.ts'
import { Player } from '../player/player.tsx'
import { showToast } from '../ui/toast.tsx'
import { canPickFrame } from '../videos/frame-picker.tsx'
import { ThumbnailPicker } from '../videos/thumbnail-picker.tsx'
import { useVideo } from '../videos/use-video.ts'

/** The player and thumbnail of an uploaded video; it plays on while the video is published. `done`: whether transcoding has finished. */
export function UploadedVideoPlayer({ id, done }: { id: string; done: boolean }): JSX.Element {
  const { video, source, renew, reload } = useVideo(id)
  // The files of the renditions, from which frames can be picked, are complete by then.
  useEffect(() => {
    if (done && video && !canPickFrame(video)) reload()
  }, [done, video === null])
  return (
    <div class="stack">
      {source ? <Player source={source} remember={false} renew={renew} /> : <div class="player" aria-busy="true" />}
      {video && <UploadedVideoThumbnail video={video} />}
    </div>
  )
}

/** Saves the thumbnail as soon as it is chosen. */
function UploadedVideoThumbnail({ video }: { video: VideoDetails }): JSX.Element {
  const [picked, setPicked] = useState<File | null>(null)
  const [error, setError] = useState<string | null>(null)
  const save = async (file: File) => {
    setPicked(file)
    setError(null)
    try {
      await api('PUT /videos/:id', { params: { id: video.uuid }, body: {}, files: { previewfile: file, thumbnailfile: file } })
      showToast(t('upload.pictureSaved'))
    } catch (problem) {
      setPicked(null)
      setError(t(problem instanceof ApiError && problem.status > 0 ? 'edit.pictureError' : 'ui.noConnection'))
    }
  }
  return <ThumbnailPicker video={video} picked={picked} onPick={file => void save(file)} error={error} />
}
