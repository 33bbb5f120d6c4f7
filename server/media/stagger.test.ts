import { describe, expect, test } from 'vitest'
import { testLadderSettings } from '../test/media-fixtures.ts'
import { planStagger } from './stagger.ts'
import type { TranscodingPlan } from './ladder.ts'
import type { Probe } from './probe.ts'

const GIB = 1024 ** 3
const rung = (width: number, height: number, fps = 30) => ({ resolution: height, width, height, fps, maxrate: 1 })
const rungs = { 1080: rung(1920, 1080), 720: rung(1280, 720), 480: rung(854, 480), 360: rung(640, 360), 240: rung(426, 240) }
const all = [rungs[1080], rungs[720], rungs[480], rungs[360], rungs[240]]
const planned = (encode: TranscodingPlan['encode'], more: Partial<TranscodingPlan> = {}) =>
  ({ copyVideo: null, audioOnly: false, encode, settings: testLadderSettings, ...more }) as TranscodingPlan
const source = (width: number, height: number, more = {}) => ({ video: { width, height, pixFmt: 'yuv420p', hdr: false, ...more } }) as Probe

describe('which rungs wait', () => {
  test.each([
    ['those below 720p begin with less than a quarter of the work', [rungs[1080], rungs[720], rungs[480], rungs[360], rungs[240]], 2],
    ['of a smaller ladder fewer begin', [rungs[720], rungs[480], rungs[360], rungs[240]], 2],
    ['one at least', [rungs[480], rungs[360], rungs[240]], 2],
    ['also where it is not much smaller', [rungs[480], rungs[360]], 1]
  ])('%s', (_, encode, waiting) => {
    expect(planStagger(planned(encode), source(640, 480), GIB)?.rungs).toBe(waiting)
  })

  test('none does where there is nothing to win', () => {
    expect(planStagger(planned([rungs[720]]), source(1280, 720), GIB)).toBeNull()
    expect(planStagger(planned([rungs[480], rungs[240]], { copyVideo: rungs[720] }), source(1280, 720), GIB)).toBeNull()
    expect(planStagger(planned([rungs[360]], { audioOnly: true }), { video: null } as Probe, GIB)).toBeNull()
    expect(planStagger(planned([]), source(1280, 720), GIB)).toBeNull()
    // Nobody knows how many pictures the next seconds have; a rate that is cut is even.
    expect(planStagger(planned(all, { keepsFrameTimes: true }), source(1280, 720, { variableFps: true }), GIB)).toBeNull()
    expect(planStagger(planned(all, { keepsFrameTimes: false }), source(1280, 720, { variableFps: true }), GIB)).not.toBeNull()
  })
})

describe('how long they wait', () => {
  test('until the others have given a segment', () => {
    expect(planStagger(planned(all), source(1280, 720), GIB)?.seconds).toBeCloseTo(2.8)
    expect(planStagger(planned([rung(1280, 720, 60), rung(426, 240, 60)]), source(1280, 720), GIB)?.seconds).toBeCloseTo(2.4)
  })

  test('no longer than their pictures have room', () => {
    const picture = 1280 * 720 * 1.5
    expect(planStagger(planned(all), source(1280, 720), picture * 30)?.seconds).toBeCloseTo(1)
    expect(planStagger(planned(all), source(1280, 720, { pixFmt: 'yuv420p10le' }), picture * 30)).toMatchObject({ seconds: 0.5 })
    expect(planStagger(planned(all), source(1280, 720, { pixFmt: 'yuv444p12le' }), picture * 120)).toMatchObject({ seconds: 1 })
    expect(planStagger(planned(all), source(1280, 720, { pixFmt: 'uyvy422' }), picture * 40)).toMatchObject({ seconds: 1 })
    // Less than a gigabyte however much is free: 4K at 60 pictures a second.
    expect(planStagger(planned([rung(3840, 2160, 60), rungs[240]]), source(3840, 2160), 64 * GIB)).toBeNull()
  })

  test('not at all where there is no room', () => {
    expect(planStagger(planned(all), source(1280, 720), 1280 * 720 * 1.5 * 14)).toBeNull()
    expect(planStagger(planned(all), source(1280, 720), 0)).toBeNull()
    expect(planStagger(planned(all), source(1280, 720), -GIB)).toBeNull()
  })

  test('a high dynamic range is mapped to a picture of the largest rung before', () => {
    expect(planStagger(planned(all), source(3840, 2160, { hdr: true, pixFmt: 'yuv420p10le' }), 1920 * 1080 * 1.5 * 30)).toMatchObject({
      seconds: 1
    })
  })
})
