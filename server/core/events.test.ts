import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { projectFolder } from './config.ts'

test('every event is emitted somewhere and has a listener', () => {
  const sources = readdirSync(join(projectFolder, 'server'), { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile() && entry.name.endsWith('.ts') && !entry.name.endsWith('.test.ts'))
    .map(entry => readFileSync(join(entry.parentPath, entry.name), 'utf8'))
  const declared = readFileSync(join(projectFolder, 'server/core/events.ts'), 'utf8').matchAll(/^ {2}'([a-z]+\.[a-z]+)':/gm)
  const names = [...declared].map(([, name]) => name!)
  expect(names.length).toBeGreaterThan(5)
  const eventsWithoutCall = (call: string) =>
    names.filter(name => !sources.some(text => text.replace(/\s/g, '').includes(`${call}('${name}'`)))
  expect({ neverEmitted: eventsWithoutCall('emitEvent'), neverListenedTo: eventsWithoutCall('onEvent') }).toEqual({
    neverEmitted: [],
    neverListenedTo: []
  })
})
