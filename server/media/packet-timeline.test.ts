import { describe, expect, test } from 'vitest'
import { PacketTimeline } from './packet-timeline.ts'

/** The times of a stream of packets of 0.04 s that are decoded at these times. */
function timesOf(decodeTimes: number[], correctJumps = true) {
  const timeline = new PacketTimeline()
  const packet = { duration: 0.04, keyframe: true, hidden: false, newParameters: false, encrypted: false, continuous: true }
  for (const dts of decodeTimes) timeline.add(0, { ...packet, dts, pts: dts })
  return timeline.timesOf(0, { start: 0, correctJumps })!
}

test('an interval of minutes counts where jumps are not corrected', () => {
  const times = (correctJumps: boolean) => timesOf([0, 0.04, 120, 120.04], correctJumps)
  expect(times(false)).toMatchObject({ longestInterval: expect.closeTo(119.96, 5), end: expect.closeTo(120.08, 5) })
  expect(times(true)).toMatchObject({ longestInterval: expect.closeTo(0.04, 5), end: expect.closeTo(0.16, 5) })
})

describe('decode times', () => {
  test.each([
    ['rise', [0, 0.04, 0.08, 0.12], false],
    ['rise with a frame missing', [0, 0.04, 0.12, 0.16], false],
    ['repeat by one frame', [0, 0.04, 0.08, 0.08, 0.12], true],
    ['go back by one frame', [0, 0.04, 0.08, 0.04, 0.12], true],
    ['go back by an hour', [3600, 3600.04, 0, 0.04], true],
    ['jump by an hour', [0, 0.04, 3600, 3600.04], true]
  ])('%s', (_, decodeTimes, jumps) => {
    expect(timesOf(decodeTimes).jumps).toBe(jumps)
  })
})
