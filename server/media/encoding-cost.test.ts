import { expect, test } from 'vitest'
import { encodingCost, encodingMemory } from './encoding-cost.ts'
import type { TranscodingPlan } from './ladder.ts'
import type { Probe } from './probe.ts'

const rendition = (width: number, height: number) => ({ resolution: height, width, height, fps: 25, maxrate: 1 })
const planOf = (...encode: TranscodingPlan['encode']) => ({ encode }) as TranscodingPlan

test('the cost of a plan is its pixels; a copied stream costs nothing', () => {
  expect(encodingCost(planOf(rendition(640, 360), rendition(320, 180)), { duration: 10 } as Probe)).toBe((640 * 360 + 320 * 180) * 250)
  expect(encodingCost(planOf(), { duration: 10 } as Probe)).toBe(0)
})

test('memory counts all renditions at once, and is never 0', () => {
  const single = encodingMemory(planOf(rendition(1920, 1080)))
  expect(encodingMemory(planOf(rendition(1920, 1080), rendition(1280, 720))) - single).toBe(1280 * 720 * 150)
  expect(encodingMemory(planOf())).toBeGreaterThan(0)
})
