import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { listTestFiles } from './test-kinds.ts'

// Composed at run time, or this file would itself be classified by these words.
const [mock, inject, environment, execute, build, proto] = ['vi.', 'inj', 'process.', 'exec', 'ensure', 'proto'].map(
  (word, index) => word + ['mock', 'ect', 'env', 'File', 'Built', 'type'][index]
)

let folder: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'bobine-kinds-'))
  write('server/core/paging.test.ts', "import { page } from './paging.ts'\ntest('', () => page(1))")
  write('server/core/paging.ts', "import { setup } from '../test/services.ts'\nsetup()")
  write('server/core/config.test.ts', `${environment}.PATH = ''`)
  write('server/core/guard.test.ts', `${mock}('node:dns')`)
  write('server/core/send.test.ts', "import { watch } from '../test/sockets.ts'")
  write('server/test/sockets.ts', `Socket.${proto}.connect = function () {}`)
  write('server/media/hls.test.ts', "import { make } from '../test/media-fixtures.ts'\nmake()")
  write('server/test/media-fixtures.ts', `export const make = async () => await ${execute}('ffmpeg', [])`)
  write('server/comments/comments.test.ts', "import { instance } from '../test/instance.ts'")
  write('server/views/between.test.ts', "import { peer } from '../test/peer.ts'")
  write('server/test/peer.ts', `import { instance } from './instance.ts'\nawait ${build}()`)
  write('server/test/instance.ts', `import { peer } from './peer.ts'\n${inject}('postgres')`)
  write('client/test/watch.test.ts', '')
  write('client/src/ui/styles.test.ts', '')
})
afterAll(() => rmSync(folder, { recursive: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(folder, path)), { recursive: true })
  writeFileSync(join(folder, path), text)
}

test('the kind of a test file follows from it and its test helpers, not from the code under test', () => {
  expect(
    listTestFiles(folder).map(({ path, kind, build, ownProcess }) => `${path} ${kind}${build ? ' built' : ''}${ownProcess ? ' alone' : ''}`)
  ).toEqual([
    'client/src/ui/styles.test.ts unit',
    'client/test/watch.test.ts browser',
    'server/comments/comments.test.ts server built',
    'server/core/config.test.ts unit alone',
    'server/core/guard.test.ts unit alone',
    'server/core/paging.test.ts unit',
    'server/core/send.test.ts unit alone',
    'server/media/hls.test.ts media',
    'server/views/between.test.ts server built'
  ])
})

test('every test file of the project is found', () => {
  const files = listTestFiles()
  for (const kind of ['unit', 'media', 'server', 'browser'])
    expect(files.filter(file => file.kind === kind).length, kind).toBeGreaterThan(5)
})
