import { expect, test } from 'vitest'
import { encodingCost, encodingMemory } from './encoding-cost.ts'
import type { TranscodingPlan } from './ladder.ts'
import type { Probe } from './probe.ts'

const rung = (width: number, height: number) => ({ resolution: height, width, height, fps: 25, maxrate: 1 })
const planned = (...encode: TranscodingPlan['encode']) => ({ encode }) as TranscodingPlan

test('the work of a plan is its pixels; what is copied costs nothing', () => {
  expect(encodingCost(planned(rung(640, 360), rung(320, 180)), { duration: 10 } as Probe)).toBe((640 * 360 + 320 * 180) * 250)
  expect(encodingCost(planned(), { duration: 10 } as Probe)).toBe(0)
})

test('memory is for all rungs at the same time, and never nothing', () => {
  const one = encodingMemory(planned(rung(1920, 1080)))
  expect(encodingMemory(planned(rung(1920, 1080), rung(1280, 720))) - one).toBe(1280 * 720 * 150)
  expect(encodingMemory(planned())).toBeGreaterThan(0)
})
