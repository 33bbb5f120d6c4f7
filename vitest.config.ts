import { defineConfig, type TestProjectInlineConfiguration } from 'vitest/config'
import { listTestFiles, type TestKind } from './scripts/suite/test-kinds.ts'
import { SlowestFirstSequencer } from './scripts/suite/sequencer.ts'

const files = listTestFiles()
// Patience of a machine that has other things to do; a test that must be quick says so itself.
const PATIENCE = { testTimeout: 150_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000, interval: 100 } } }

/**
 * One process runs many files, each with our modules loaded anew (`server/test/reset-modules.ts`); libraries stay. What changes its process
 * has one to itself.
 */
function project(kind: TestKind, more: TestProjectInlineConfiguration['test'] = {}): TestProjectInlineConfiguration[] {
  return [true, false].flatMap(ownProcess => {
    const include = files.filter(file => file.kind === kind && file.ownProcess === ownProcess).map(file => file.path)
    if (include.length === 0) return []
    return [
      {
        extends: true,
        test: {
          ...PATIENCE,
          name: ownProcess ? `${kind}-own-process` : kind,
          include,
          isolate: ownProcess,
          setupFiles: ownProcess ? [] : ['server/test/reset-modules.ts'],
          ...more
        }
      }
    ]
  })
}

export default defineConfig({
  test: {
    maxWorkers: 2,
    // What servers log is kept for the tests that fail.
    silent: 'passed-only',
    slowTestThreshold: Infinity,
    sequence: { sequencer: SlowestFirstSequencer },
    projects: [
      ...project('unit'),
      ...project('media'),
      ...project('server', { globalSetup: ['server/test/services.ts'] }),
      // A browser that decodes without a graphics card misses a beat now and then. `scripts/test` names each second try and allows three.
      ...project('browser', { globalSetup: ['server/test/services.ts'], retry: 1 })
    ]
  }
})
