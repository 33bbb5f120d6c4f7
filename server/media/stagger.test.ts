import { describe, expect, test } from 'vitest'
import { testLadderSettings } from '../test/media-settings.ts'
import { planStagger } from './stagger.ts'
import type { TranscodingPlan } from './ladder.ts'
import type { Probe } from './probe.ts'

const GIB = 1024 ** 3
const rendition = (width: number, height: number, fps = 30) => ({ resolution: height, width, height, fps, maxrate: 1 })
const renditions = {
  1080: rendition(1920, 1080),
  720: rendition(1280, 720),
  480: rendition(854, 480),
  360: rendition(640, 360),
  240: rendition(426, 240)
}
const fullLadder = [renditions[1080], renditions[720], renditions[480], renditions[360], renditions[240]]
const planOf = (encode: TranscodingPlan['encode'], overrides: Partial<TranscodingPlan> = {}) =>
  ({ copyVideo: null, audioOnly: false, encode, settings: testLadderSettings, ...overrides }) as TranscodingPlan
const probeOf = (width: number, height: number, overrides = {}) =>
  ({ video: { width, height, pixFmt: 'yuv420p', hdr: false, ...overrides } }) as Probe

describe('which renditions are delayed', () => {
  test.each([
    [
      'all but those below 720p, which are less than a quarter of the work',
      [renditions[1080], renditions[720], renditions[480], renditions[360], renditions[240]],
      2
    ],
    ['fewer stay undelayed in a smaller ladder', [renditions[720], renditions[480], renditions[360], renditions[240]], 2],
    ['the smallest is never delayed', [renditions[480], renditions[360], renditions[240]], 2],
    ['nor is it where it is not much smaller', [renditions[480], renditions[360]], 1]
  ])('%s', (_, encode, delayed) => {
    expect(planStagger(planOf(encode), probeOf(640, 480), GIB)?.delayedRenditions).toBe(delayed)
  })

  test('none where nothing is gained', () => {
    expect(planStagger(planOf([renditions[720]]), probeOf(1280, 720), GIB)).toBeNull()
    expect(planStagger(planOf([renditions[480], renditions[240]], { copyVideo: renditions[720] }), probeOf(1280, 720), GIB)).toBeNull()
    expect(planStagger(planOf([renditions[360]], { audioOnly: true }), { video: null } as Probe, GIB)).toBeNull()
    expect(planStagger(planOf([]), probeOf(1280, 720), GIB)).toBeNull()
    // With a variable frame rate the number of frames in the next seconds is unknown; a reduced rate is constant.
    expect(planStagger(planOf(fullLadder, { keepsFrameTimes: true }), probeOf(1280, 720, { variableFps: true }), GIB)).toBeNull()
    expect(planStagger(planOf(fullLadder, { keepsFrameTimes: false }), probeOf(1280, 720, { variableFps: true }), GIB)).not.toBeNull()
  })
})

describe('how long they are delayed', () => {
  test('until the others have produced a segment', () => {
    expect(planStagger(planOf(fullLadder), probeOf(1280, 720), GIB)?.seconds).toBeCloseTo(2.8)
    expect(planStagger(planOf([rendition(1280, 720, 60), rendition(426, 240, 60)]), probeOf(1280, 720), GIB)?.seconds).toBeCloseTo(2.4)
  })

  test('no longer than the buffered frames fit into memory', () => {
    const frameBytes = 1280 * 720 * 1.5
    expect(planStagger(planOf(fullLadder), probeOf(1280, 720), frameBytes * 30)?.seconds).toBeCloseTo(1)
    expect(planStagger(planOf(fullLadder), probeOf(1280, 720, { pixFmt: 'yuv420p10le' }), frameBytes * 30)).toMatchObject({ seconds: 0.5 })
    expect(planStagger(planOf(fullLadder), probeOf(1280, 720, { pixFmt: 'yuv444p12le' }), frameBytes * 120)).toMatchObject({ seconds: 1 })
    expect(planStagger(planOf(fullLadder), probeOf(1280, 720, { pixFmt: 'uyvy422' }), frameBytes * 40)).toMatchObject({ seconds: 1 })
    // The buffer is limited however much memory is free: 4K at 60 frames a second.
    expect(planStagger(planOf([rendition(3840, 2160, 60), renditions[240]]), probeOf(3840, 2160), 64 * GIB)).toBeNull()
  })

  test('not at all without spare memory', () => {
    expect(planStagger(planOf(fullLadder), probeOf(1280, 720), 1280 * 720 * 1.5 * 14)).toBeNull()
    expect(planStagger(planOf(fullLadder), probeOf(1280, 720), 0)).toBeNull()
    expect(planStagger(planOf(fullLadder), probeOf(1280, 720), -GIB)).toBeNull()
  })

  test('HDR frames are buffered at the size of the largest rendition', () => {
    expect(
      planStagger(planOf(fullLadder), probeOf(3840, 2160, { hdr: true, pixFmt: 'yuv420p10le' }), 1920 * 1080 * 1.5 * 30)
    ).toMatchObject({
      seconds: 1
    })
  })
})
