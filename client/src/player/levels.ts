import type Hls from 'hls.js'
import type { Fragment, Level } from 'hls.js'

type HlsModule = typeof import('./hls.ts')
/** The internal fields of hls.js that hold the index of a level in the list. */
type HlsInternals = {
  levelController: { currentLevel: Level | null; currentLevelIndex: number; manualLevelIndex: number }
  streamController: { level: number; fragmentTracker: { fragments: { [key: string]: { body: Fragment } | null } } }
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
  levels.forEach((level, index) => {
    for (const fragment of level.details?.fragments ?? []) {
      fragment.level = index
      if (fragment.initSegment) fragment.initSegment.level = index
    }
  })
  updateFragmentLevels(hls)
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
  hls.removeLevel(hls.levels.findIndex(level => level.uri === uri))
  updateFragmentLevels(hls)
}

/**
 * hls.js stores buffered fragments under the index of their level; under the old index they would count as fragments of the level that has
 * this index now.
 */
function updateFragmentLevels(hls: Hls): void {
  const { fragments } = (hls as unknown as HlsInternals).streamController.fragmentTracker
  const entries = Object.values(fragments)
  for (const key of Object.keys(fragments)) delete fragments[key]
  for (const entry of entries) if (entry) fragments[`${entry.body.type}_${entry.body.level}_${entry.body.sn}`] = entry
}

/** Returns a URL without its query: tokens change, files do not. */
export function urlWithoutQuery(uri: string): string {
  return uri.split('?', 1)[0]!
}
