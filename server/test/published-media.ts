import { createHash } from 'node:crypto'
import { constants, watch } from 'node:fs'
import { copyFile, link, mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { hasMovingVideo, type Probe } from '../media/probe.ts'
import { planTranscoding } from '../transcoding/transcoding-settings.ts'
import { checkMedia, type CheckedLadder } from './media-checker.ts'
import { checkWebVtt } from './webvtt.ts'

/** The files that were uploaded to an instance: the instance itself throws them away when they are encoded. */
export type UploadedFiles = { folder: string; stop(): Promise<void> }

/** Keeps a link to each file that is uploaded to an instance with this storage folder. */
export async function keepUploadedFiles(storage: string): Promise<UploadedFiles> {
  const originals = join(storage, 'original-video-files')
  await mkdir(originals, { recursive: true })
  const folder = await mkdtemp(join(tmpdir(), 'bobine-uploaded-'))
  const watcher = watch(originals, { persistent: false }, (_, name) => {
    if (!name || name.endsWith('.part')) return
    link(join(originals, name), join(folder, name)).catch(async (error: NodeJS.ErrnoException) => {
      if (error.code === 'EXDEV')
        await copyFile(join(originals, name), join(folder, name), constants.COPYFILE_FICLONE).catch(() => undefined)
    })
  })
  watcher.on('error', () => undefined)
  return {
    folder,
    stop: async () => {
      watcher.close()
      await rm(folder, { recursive: true, force: true })
    }
  }
}

/** An instance: whether it makes storyboards, where it keeps its things, and where a test run notes what it has checked already. */
export type CheckedInstance = {
  storyboards: boolean
  url: string
  storage: string
  database: pg.ClientConfig
  uploaded: string
  checked: string
}

type VideoRow = {
  id: number
  uuid: string
  name: string
  privacy: number
  duration: number
  size: string
  probe: Probe
  uploaded: string | null
}
type FileRow = {
  resolution: number
  has_video: boolean
  filename: string
  playlist_filename: string
  track: number
  language: string | null
  track_name: string | null
}

/**
 * Checks every local video of an instance that is published and encoded: rows against files, images, captions, chapters, and its media
 * (`checkMedia`), these once in a test run for the same upload with the same result. Returns sentences about what is wrong.
 */
export async function checkPublishedVideos(instance: CheckedInstance): Promise<string[]> {
  const client = new pg.Client(instance.database)
  await client.connect()
  try {
    const { rows: videos } = await client.query<VideoRow>(`
      SELECT v.id, v.uuid::text AS uuid, v.name, v.privacy, v.duration, s.size, s.probe, s.filename AS uploaded
      FROM videos v JOIN video_sources s ON s.video_id = v.id JOIN transcodings t ON t.video_id = v.id
      WHERE NOT v.remote AND v.state = 1 AND t.state = 'done' AND s.probe IS NOT NULL`)
    const findings: string[] = []
    for (const video of videos)
      findings.push(...(await checkVideo(video, instance, client)).map(finding => `video ${video.id} (${video.name}): ${finding}`))
    return [...findings, ...(await findLastingStrayFiles(instance.storage, client))]
  } finally {
    await client.end()
  }
}

/** The stray files that are still there after what the instance removes at this moment. */
async function findLastingStrayFiles(storage: string, client: pg.Client): Promise<string[]> {
  const end = Date.now() + REMOVAL_MS
  for (;;) {
    const found = await findStrayFiles(storage, client)
    if (found.length === 0 || Date.now() > end) return found
    await new Promise(resolve => setTimeout(resolve, 100))
  }
}

const REMOVAL_MS = 5000

async function checkVideo(video: VideoRow, instance: CheckedInstance, client: pg.Client): Promise<string[]> {
  const { rows: files } = await client.query<FileRow>(
    `SELECT f.* FROM video_files f JOIN streaming_playlists p ON p.id = f.streaming_playlist_id
     WHERE p.video_id = $1 AND NOT f.growing AND f.hls ORDER BY f.resolution DESC, f.track`,
    [video.id]
  )
  // Renditions of which only a download is left have no playlist.
  if (files.length === 0) return []
  const copied = planTranscoding(video.probe).copyVideo?.resolution
  const outputs = files.map((file): CheckedLadder['outputs'][number] => ({
    kind: file.has_video ? 'video' : 'audio',
    resolution: file.resolution,
    playlist: file.playlist_filename,
    file: file.filename,
    copied: file.has_video && file.resolution === copied,
    ...(file.has_video ? {} : { audioTrack: { track: file.track, language: file.language, name: file.track_name ?? '' } })
  }))
  const folder = join(instance.storage, 'streaming-playlists/hls', video.uuid)
  const images = await listImages(video.id, instance.storage, client)
  const findings = [
    ...(Math.abs(video.duration - video.probe.duration) > 1
      ? [`its row says ${video.duration} s, the probe ${video.probe.duration} s`]
      : []),
    ...(await checkTexts(video, instance.storage, client)),
    ...(instance.storyboards && hasMovingVideo(video.probe) && !images?.storyboard ? ['it has no storyboard'] : []),
    ...(video.privacy === 1 ? await checkAddresses(video, instance.url, files) : [])
  ]
  const source = await findUploadedFile(video, instance)
  if (!(await claim(instance.checked, source, folder, outputs))) return findings
  const media = await checkMedia({ source, probe: video.probe, folder, outputs, images })
  return [...findings, ...media.findings]
}

/** Whether nobody in this test run has checked this upload with renditions of these sizes; from then on somebody has. */
async function claim(checked: string, source: string | null, folder: string, outputs: CheckedLadder['outputs']): Promise<boolean> {
  const hash = createHash('sha256').update(source ? await readFile(source) : folder)
  for (const { kind, resolution, file } of outputs) {
    const size = (await stat(join(folder, file)).catch(() => null))?.size
    hash.update(`${kind} ${resolution} ${size}\n`)
  }
  return await writeFile(join(checked, hash.digest('hex')), '', { flag: 'wx' }).then(
    () => true,
    () => false
  )
}

/** The upload of a video; null if it is not known which it is. */
async function findUploadedFile({ uploaded, size }: VideoRow, { storage, uploaded: folder }: CheckedInstance): Promise<string | null> {
  if (uploaded) return join(storage, 'original-video-files', uploaded)
  const candidates = new Map<string, string>()
  for (const name of await readdir(folder).catch(() => [])) {
    const path = join(folder, name)
    if ((await stat(path)).size === Number(size))
      candidates.set(
        createHash('sha256')
          .update(await readFile(path))
          .digest('hex'),
        path
      )
  }
  return candidates.size === 1 ? [...candidates.values()][0]! : null
}

async function listImages(videoId: number, storage: string, client: pg.Client): Promise<CheckedLadder['images']> {
  const { rows: images } = await client.query<{ kind: string; filename: string }>(
    'SELECT kind, filename FROM thumbnails WHERE video_id = $1 AND automatic',
    [videoId]
  )
  const { rows: storyboards } = await client.query<Record<string, number> & { filename: string }>(
    'SELECT * FROM storyboards WHERE video_id = $1',
    [videoId]
  )
  const [storyboard] = storyboards
  return {
    frames: Object.fromEntries(images.map(({ kind, filename }) => [kind, join(storage, `${kind}s`, filename)])),
    storyboard: storyboard && {
      path: join(storage, 'storyboards', storyboard.filename),
      spriteWidth: storyboard.sprite_width!,
      spriteHeight: storyboard.sprite_height!,
      totalWidth: storyboard.total_width!,
      totalHeight: storyboard.total_height!,
      spriteDuration: storyboard.sprite_duration!
    }
  }
}

/** Captions are WebVTT and, like chapters, within the length of the video. */
async function checkTexts({ id, probe }: VideoRow, storage: string, client: pg.Client): Promise<string[]> {
  const { rows: captions } = await client.query<{ language: string; filename: string }>(
    `SELECT language, filename FROM video_captions WHERE video_id = $1 AND url IS NULL
      UNION ALL SELECT language, filename FROM additional_captions WHERE video_id = $1`,
    [id]
  )
  const { rows: chapters } = await client.query<{ timecode: number }>(
    'SELECT timecode FROM video_chapters WHERE video_id = $1 AND timecode > $2::double precision',
    [id, probe.duration]
  )
  const findings = chapters.map(({ timecode }) => `a chapter begins at ${timecode} s, after the end`)
  for (const { language, filename } of captions) {
    const text = await readFile(join(storage, 'captions', filename), 'utf8').catch(() => '')
    findings.push(...checkWebVtt(text, probe.duration).map(finding => `caption ${language}: ${finding}`))
  }
  return findings
}

/** The master playlist of a public video lists its renditions, and what the API names can be fetched. */
async function checkAddresses({ uuid }: VideoRow, url: string, files: FileRow[]): Promise<string[]> {
  const answer = await fetch(`${url}/api/v1/videos/${uuid}`)
  // Blocked or hidden by an administrator.
  if (!answer.ok) return []
  const video = (await answer.json()) as {
    thumbnailPath: string | null
    previewPath: string | null
    streamingPlaylists: { playlistUrl: string }[]
  }
  const findings: string[] = []
  for (const path of [video.thumbnailPath, video.previewPath]) {
    const image = path && (await fetch(new URL(path, url)))
    if (image && (!image.ok || !image.headers.get('content-type')?.startsWith('image/'))) findings.push(`${path} answers ${image.status}`)
    if (image) await image.body?.cancel()
  }
  const address = video.streamingPlaylists[0]?.playlistUrl
  if (!address) return findings
  const master = await fetch(new URL(new URL(address).pathname, url))
  const text = await master.text()
  if (!master.ok) return [...findings, `${address} answers ${master.status}`]
  const missing = files.filter(({ playlist_filename }) => !text.includes(playlist_filename)).map(({ resolution }) => resolution)
  return missing.length > 0 ? [...findings, `the master playlist lacks ${missing.join(', ')}`] : findings
}

/** Files of encoded videos, and of kinds that only videos have, that no row names. */
async function findStrayFiles(storage: string, client: pg.Client): Promise<string[]> {
  const names = async (query: string) => new Set((await client.query<{ name: string }>(query)).rows.map(({ name }) => name))
  const findings: string[] = []
  for (const [folder, query] of [
    ['original-video-files', 'SELECT filename AS name FROM video_sources'],
    ['thumbnails', "SELECT filename AS name FROM thumbnails WHERE kind = 'thumbnail'"],
    ['previews', "SELECT filename AS name FROM thumbnails WHERE kind = 'preview'"],
    ['storyboards', 'SELECT filename AS name FROM storyboards'],
    ['captions', 'SELECT filename AS name FROM video_captions UNION ALL SELECT filename FROM additional_captions']
  ] as const) {
    const found = await readdir(join(storage, folder)).catch(() => [])
    const known = await names(query)
    findings.push(...found.filter(name => !known.has(name)).map(name => `${folder}/${name} belongs to no row`))
  }
  const { rows } = await client.query<{ uuid: string; names: string[] }>(`
    SELECT v.uuid::text AS uuid, array_agg(named.name) AS names FROM videos v JOIN transcodings t ON t.video_id = v.id AND t.state = 'done'
    JOIN streaming_playlists p ON p.video_id = v.id
    CROSS JOIN LATERAL (
      SELECT unnest(ARRAY[p.playlist_filename, p.segments_sha256_filename]) AS name
      UNION ALL SELECT unnest(ARRAY[f.filename, f.playlist_filename]) FROM video_files f WHERE f.streaming_playlist_id = p.id
    ) named GROUP BY v.uuid`)
  for (const { uuid, names: known } of rows)
    for (const name of await readdir(join(storage, 'streaming-playlists/hls', uuid)).catch(() => []))
      if (!known.includes(name) && !isReplacedRendition(name, known))
        findings.push(`streaming-playlists/hls/${uuid}/${name} belongs to no row`)
  return findings
}

/** A rendition that another one of its resolution replaced: it stays for current viewers until the sweeper comes (publishRenditions). */
function isReplacedRendition(name: string, known: string[]): boolean {
  const ending = /-\d+(-fragmented\.mp4|\.m3u8)$/.exec(name)?.[0]
  return ending !== undefined && known.some(other => other.endsWith(ending))
}

/** Temporary files that are left when an instance has stopped. */
export async function findTemporaryFiles(storage: string): Promise<string[]> {
  return (await readdir(join(storage, 'tmp')).catch(() => [])).map(name => `tmp/${name} is left`)
}
