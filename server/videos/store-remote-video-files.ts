import { randomUUID } from 'node:crypto'
import type { Transaction } from 'sequelize'
import { runQuery, sql } from '../core/sql.ts'
import type { FileLink, ImageLink, VideoObject } from './video-object.ts'

/** Widths in pixels by which PeerTube distinguishes thumbnails from previews among the icons of a document. */
const ICON_WIDTH = { thumbnail: 150, preview: 400 }

/** Replaces the stored URLs and properties of the media files of a remote video. */
export async function storeRemoteVideoFiles(videoId: number, { playlist, files }: VideoObject, tx: Transaction): Promise<void> {
  await runQuery(sql`DELETE FROM remote_files WHERE video_id = ${videoId}`, tx)
  if (!playlist) await runQuery(sql`DELETE FROM remote_playlists WHERE video_id = ${videoId}`, tx)
  else {
    await runQuery(
      sql`
      INSERT INTO remote_playlists (video_id, url, segments_sha256_url, infohashes)
        VALUES (${videoId}, ${playlist.url}, ${playlist.segmentsSha256Url}, ${playlist.infohashes})
      ON CONFLICT (video_id) DO UPDATE SET url = excluded.url, segments_sha256_url = excluded.segments_sha256_url,
        infohashes = excluded.infohashes`,
      tx
    )
  }
  const rows = [...files.map(file => toRemoteFileRow(file, false)), ...(playlist?.files ?? []).map(file => toRemoteFileRow(file, true))]
  if (rows.length === 0) return
  await runQuery(
    sql`
    INSERT INTO remote_files (video_id, hls, resolution, width, height, fps, size, url,
      metadata_url, torrent_url, magnet_uri, has_audio, has_video)
    SELECT ${videoId}::int, hls, resolution, width, height, fps, size, url, metadata_url, torrent_url, magnet_uri, has_audio, has_video
    FROM json_to_recordset(${JSON.stringify(rows)}::json)
      AS file (hls boolean, resolution integer, width integer, height integer, fps real, size bigint, url text, metadata_url text,
        torrent_url text, magnet_uri text, has_audio boolean, has_video boolean)`,
    tx
  )
}

/**
 * Replaces the stored URLs of the images and captions of a remote video. A file with a new URL gets a new name, so that no outdated copy
 * is served from a cache.
 */
export async function storeRemoteImagesAndCaptions(
  videoId: number,
  { icons, storyboard, captions }: VideoObject,
  tx: Transaction
): Promise<void> {
  const iconByKind = { thumbnail: chooseIcon(icons, 'thumbnail'), preview: chooseIcon(icons, 'preview') }
  for (const [kind, icon] of Object.entries(iconByKind)) {
    if (!icon) await runQuery(sql`DELETE FROM thumbnails WHERE video_id = ${videoId} AND kind = ${kind}`, tx)
    else {
      await runQuery(
        sql`
        INSERT INTO thumbnails (video_id, kind, filename, width, height, automatic, url, created_at, updated_at)
        VALUES (${videoId}, ${kind}, ${`${randomUUID()}.${fileExtension(icon.mediaType)}`}, ${icon.width}, ${icon.height}, false,
          ${icon.url}, now(), now())
        ON CONFLICT (video_id, kind) DO UPDATE SET width = excluded.width, height = excluded.height, url = excluded.url, updated_at = now(),
          filename = CASE WHEN thumbnails.url = excluded.url THEN thumbnails.filename ELSE excluded.filename END`,
        tx
      )
    }
  }
  if (!storyboard) await runQuery(sql`DELETE FROM storyboards WHERE video_id = ${videoId}`, tx)
  else {
    await runQuery(
      sql`
      INSERT INTO storyboards (video_id, filename, total_width, total_height, sprite_width, sprite_height, sprite_duration, url,
        created_at, updated_at)
      VALUES (${videoId}, ${`${randomUUID()}.jpg`}, ${storyboard.width}, ${storyboard.height}, ${storyboard.tileWidth},
        ${storyboard.tileHeight}, ${storyboard.tileDuration}, ${storyboard.url}, now(), now())
      ON CONFLICT (video_id) DO UPDATE SET total_width = excluded.total_width, total_height = excluded.total_height,
        sprite_width = excluded.sprite_width, sprite_height = excluded.sprite_height,
        sprite_duration = excluded.sprite_duration, url = excluded.url, updated_at = now(),
        filename = CASE WHEN storyboards.url = excluded.url THEN storyboards.filename ELSE excluded.filename END`,
      tx
    )
  }
  await runQuery(
    sql`DELETE FROM video_captions WHERE video_id = ${videoId} AND NOT language = ANY(${captions.map(caption => caption.language)})`,
    tx
  )
  for (const { language, automatic, url } of captions) {
    await runQuery(
      sql`
      INSERT INTO video_captions (video_id, language, automatic, filename, url)
        VALUES (${videoId}, ${language}, ${automatic}, ${`${randomUUID()}.vtt`}, ${url})
      ON CONFLICT (video_id, language) DO UPDATE SET automatic = excluded.automatic, url = excluded.url, updated_at = now(),
        filename = CASE WHEN video_captions.url = excluded.url THEN video_captions.filename ELSE excluded.filename END`,
      tx
    )
  }
}

function chooseIcon(icons: ImageLink[], kind: keyof typeof ICON_WIDTH): ImageLink | undefined {
  const sorted = [...icons].sort((a, b) => a.width - b.width)
  const largeEnough = sorted.filter(icon => icon.width > ICON_WIDTH[kind])
  // Of several without a size the first is the main one.
  const largest = sorted.find(icon => icon.width === sorted.at(-1)!.width)
  return (kind === 'thumbnail' ? largeEnough[0] : largeEnough.at(-1)) ?? largest
}

const fileExtension = (mediaType: string) => ({ 'image/png': 'png', 'image/webp': 'webp' })[mediaType] ?? 'jpg'

/** Returns the row of `remote_files`; `resolution` is the short side here, while PeerTube identifies renditions by height. */
function toRemoteFileRow(file: FileLink, hls: boolean): object {
  const { url, width, height, size, fps, streams, metadataUrl, torrentUrl, magnetUri } = file
  return {
    hls,
    resolution: width ? Math.min(width, height) : height,
    width,
    height,
    fps,
    size,
    url,
    metadata_url: metadataUrl,
    torrent_url: torrentUrl,
    magnet_uri: magnetUri,
    has_audio: streams?.audio ?? true,
    has_video: streams?.video ?? height > 0
  }
}
