import type Hls from 'hls.js'
import type { Fragment, Level } from 'hls.js'

type HlsModule = typeof import('./hls.ts')
/** The internal fields of hls.js that hold the index of a level in the list. */
type HlsInternals = {
  levelController: { currentLevel: Level | null; currentLevelIndex: number; manualLevelIndex: number }
  streamController: {
    level: number
    fragmentTracker: {
      fragments: { [key: string]: { body: Fragment } | null }
      getBufferedFrag(at: number, type: 'main' | 'audio'): Fragment | null
    }
    flushMainBuffer(start: number, end: number): void
  }
}

/** Seconds ahead of the time that plays from which buffered fragments are replaced: as long as the first new one may take. */
const REPLACE_AHEAD_SECONDS = 1.5

/** Switches to the level with this index, -1 for automatic, from the next fragment on, and replaces what is buffered of another one. */
export function switchLevel(hls: Hls, level: number): void {
  hls.nextLevel = level
  const { streamController } = hls as unknown as HlsInternals
  const { fragmentTracker } = streamController
  const { media } = hls
  // hls.js replaces what follows a fragment that it has loaded itself. What was in the buffer before (early-playback.ts) is none.
  if (!media || fragmentTracker.getBufferedFrag(media.currentTime, 'main')) return
  const replaceFrom = media.currentTime + (media.paused ? 0 : REPLACE_AHEAD_SECONDS)
  const [next] = Object.values(fragmentTracker.fragments)
    .map(entry => entry?.body)
    .filter(fragment => fragment?.type === 'main' && fragment.start >= replaceFrom)
    .sort((a, b) => a!.start - b!.start)
  // Not from its first frame on: removing could take the last ones of the fragment before.
  if (next) streamController.flushMainBuffer(next.start + next.duration / 4, Infinity)
}

/**
 * Adds the levels of a newer master playlist that hls.js does not have and for which `isIncluded` is true, without interrupting playback.
 * Returns how many levels were added. hls.js itself only removes levels (`removeLevel`) or clones them (content steering), and informs its
 * controllers by LEVELS_UPDATED; this does the same for new levels.
 */
export function addLevels(
  hlsModule: HlsModule,
  hls: Hls,
  masterPlaylist: string,
  url: string,
  isIncluded: (url: string) => boolean
): number {
  const { levels: playlistLevels } = hlsModule.M3U8Parser.parseMasterPlaylist(masterPlaylist, url)
  const knownUrls = new Set(hls.levels.map(({ uri }) => urlWithoutQuery(uri)))
  const added = playlistLevels
    .filter(level => !knownUrls.has(urlWithoutQuery(level.url)) && (level.videoCodec || level.width) && isIncluded(level.url))
    .map(level => new hlsModule.Level(level))
  if (added.length === 0) return 0
  const { levelController, streamController } = hls as unknown as HlsInternals
  const manual = levelController.manualLevelIndex === -1 ? null : hls.levels[levelController.manualLevelIndex]
  const levels = [...hls.levels, ...added].sort(
    (a, b) => a.height - b.height || a.frameRate - b.frameRate || a.averageBitrate - b.averageBitrate
  )
  updateFragmentLevels(hls, hls.levels, levels)
  if (levelController.currentLevel) {
    levelController.currentLevelIndex = levels.indexOf(levelController.currentLevel)
    streamController.level = levelController.currentLevelIndex
  }
  if (manual) levelController.manualLevelIndex = levels.indexOf(manual)
  hls.trigger(hlsModule.Events.LEVELS_UPDATED, { levels })
  return added.length
}

/** Removes a level from hls.js, without interrupting playback. */
export function removeLevel(hls: Hls, uri: string): void {
  const levels = hls.levels
  updateFragmentLevels(
    hls,
    levels,
    levels.filter(level => level.uri !== uri)
  )
  hls.removeLevel(levels.findIndex(level => level.uri === uri))
}

/**
 * hls.js stores buffered fragments under the index of their level; under the old index they would count as fragments of the level that has
 * this index now. They are not always those of the playlist: a playlist that is loaded again has new ones.
 */
function updateFragmentLevels(hls: Hls, before: Level[], after: Level[]): void {
  const { fragments } = (hls as unknown as HlsInternals).streamController.fragmentTracker
  const entries = Object.values(fragments).filter(entry => entry !== null)
  // Computed before any is changed: an entry may be a fragment of a playlist as well.
  const indexes = new Map<{ level: number }, number>()
  const add = (fragment: Fragment, level: Level | undefined) => {
    const index = level ? after.indexOf(level) : -1
    indexes.set(fragment, index)
    if (fragment.initSegment) indexes.set(fragment.initSegment, index)
  }
  for (const level of before) for (const fragment of level.details?.fragments ?? []) add(fragment, level)
  for (const { body } of entries) if (body.type === 'main' && !indexes.has(body)) add(body, before[body.level])
  for (const [fragment, index] of indexes) fragment.level = index
  for (const key of Object.keys(fragments)) delete fragments[key]
  for (const entry of entries) fragments[`${entry.body.type}_${entry.body.level}_${entry.body.sn}`] = entry
}

/** Returns a URL without its query: tokens change, files do not. */
export function urlWithoutQuery(uri: string): string {
  return uri.split('?', 1)[0]!
}
