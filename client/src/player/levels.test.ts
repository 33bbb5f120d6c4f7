import { expect, test } from 'vitest'
import type Hls from 'hls.js'
import type { Fragment } from 'hls.js'
import * as hlsModule from './hls.ts'
import { addLevels, removeLevel } from './levels.ts'

const MASTER = `#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=300000,RESOLUTION=426x240,CODECS="avc1.640015"
240.m3u8
#EXT-X-STREAM-INF:BANDWIDTH=3000000,RESOLUTION=1280x720,CODECS="avc1.64001f"
720.m3u8
`
const URL_OF_MASTER = 'https://tube.example/master.m3u8'

/** The parts of hls.js that `levels.ts` uses, with one level of 720p whose playlist was loaded twice: it has new fragments. */
function hlsWithReloadedPlaylist() {
  const fragment = (sn: number, initSegment: Fragment | null = null) =>
    ({ type: 'main', level: 0, sn, initSegment }) as unknown as Fragment & { level: number }
  const { levels: parsed } = hlsModule.M3U8Parser.parseMasterPlaylist(MASTER, URL_OF_MASTER)
  const level = new hlsModule.Level(parsed.find(({ height }) => height === 720)!)
  const loadedBefore = [fragment(0), fragment(1)]
  const listed = [fragment(0, fragment(-1)), fragment(1), fragment(2)]
  level.details = { fragments: listed } as unknown as typeof level.details
  const audio = { type: 'audio', level: 0, sn: 0 } as Fragment
  const entries = [...loadedBefore, listed[2]!, audio].map(body => [`${body.type}_${body.level}_${body.sn}`, { body }])
  const hls = {
    levels: [level],
    levelController: { currentLevel: level, currentLevelIndex: 0, manualLevelIndex: 0 },
    streamController: { level: 0, fragmentTracker: { fragments: Object.fromEntries(entries) as object } },
    trigger: (_: string, { levels }: { levels: (typeof level)[] }) => Object.assign(hls, { levels }),
    removeLevel: (index: number) => void hls.levels.splice(index, 1)
  }
  return { hls: hls as unknown as Hls, listed, keys: () => Object.keys(hls.streamController.fragmentTracker.fragments).sort() }
}

test('buffered fragments keep their level when another is added or removed, also those of an earlier playlist', () => {
  const { hls, listed, keys } = hlsWithReloadedPlaylist()
  expect(addLevels(hlsModule, hls, MASTER, URL_OF_MASTER, () => true)).toBe(1)
  expect(hls.levels.map(({ height }) => height)).toEqual([240, 720])
  expect(keys()).toEqual(['audio_0_0', 'main_1_0', 'main_1_1', 'main_1_2'])
  expect([...listed.map(({ level }) => level), listed[0]!.initSegment!.level]).toEqual([1, 1, 1, 1])
  removeLevel(hls, hls.levels[0]!.uri)
  expect(keys()).toEqual(['audio_0_0', 'main_0_0', 'main_0_1', 'main_0_2'])
})
