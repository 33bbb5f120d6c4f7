import type Hls from 'hls.js'
import type { Fragment, Level } from 'hls.js'

type Library = typeof import('./hls.ts')
/** The parts of hls.js that follow the place of the current level in the list. */
type Inner = {
  levelController: { currentLevel: Level | null; currentLevelIndex: number; manualLevelIndex: number }
  streamController: { level: number; fragmentTracker: { fragments: { [key: string]: { body: Fragment } | null } } }
}

/**
 * Gives a running hls.js the `wanted` levels that a newer master playlist has and it does not, without touching playback.
 * hls.js knows levels that vanish (`removeLevel`) and levels that are cloned (content steering), and tells its parts by LEVELS_UPDATED;
 * this is the same step for levels that are new. Gives how many there were.
 */
export function addLevels(library: Library, hls: Hls, master: string, url: string, wanted: (url: string) => boolean): number {
  const { levels: listed } = library.M3U8Parser.parseMasterPlaylist(master, url)
  const known = new Set(hls.levels.map(({ uri }) => urlWithoutQuery(uri)))
  const fresh = listed
    .filter(level => !known.has(urlWithoutQuery(level.url)) && (level.videoCodec || level.width) && wanted(level.url))
    .map(level => new library.Level(level))
  if (fresh.length === 0) return 0
  const { levelController, streamController } = hls as unknown as Inner
  const manual = levelController.manualLevelIndex === -1 ? null : hls.levels[levelController.manualLevelIndex]
  const levels = [...hls.levels, ...fresh].sort(
    (a, b) => a.height - b.height || a.frameRate - b.frameRate || a.averageBitrate - b.averageBitrate
  )
  levels.forEach((level, index) => {
    for (const fragment of level.details?.fragments ?? []) {
      fragment.level = index
      if (fragment.initSegment) fragment.initSegment.level = index
    }
  })
  renumberBuffered(hls)
  if (levelController.currentLevel) {
    levelController.currentLevelIndex = levels.indexOf(levelController.currentLevel)
    streamController.level = levelController.currentLevelIndex
  }
  if (manual) levelController.manualLevelIndex = levels.indexOf(manual)
  hls.trigger(library.Events.LEVELS_UPDATED, { levels })
  return fresh.length
}

/** Takes a level away, without touching playback. */
export function removeLevel(hls: Hls, uri: string): void {
  hls.removeLevel(hls.levels.findIndex(level => level.uri === uri))
  renumberBuffered(hls)
}

/**
 * hls.js files what is in the buffer under the number of its level; under an old number it would pass for the level that has that number
 * now.
 */
function renumberBuffered(hls: Hls): void {
  const { fragments } = (hls as unknown as Inner).streamController.fragmentTracker
  const entries = Object.values(fragments)
  for (const key of Object.keys(fragments)) delete fragments[key]
  for (const entry of entries) if (entry) fragments[`${entry.body.type}_${entry.body.level}_${entry.body.sn}`] = entry
}

/** The address without its query: tokens change, files do not. */
export function urlWithoutQuery(uri: string): string {
  return uri.split('?', 1)[0]!
}
