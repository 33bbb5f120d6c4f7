import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    globalSetup: ['server/test/services.ts'],
    // A machine that stops for a second now and then makes a test miss a beat; what is broken stays broken the second time, and scripts/test names what needed one.
    retry: 1,
    projects: [
      {
        extends: true,
        test: {
          name: 'node', include: ['server/**/*.test.ts', 'shared/**/*.test.ts', 'client/src/**/*.test.ts', 'scripts/**/*.test.ts'],
          testTimeout: 150_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } }, maxWorkers: 2, sequence: { groupOrder: 0 }
        }
      },
      {
        extends: true,
        test: {
          // One at a time: a browser that decodes without a graphics card and ffmpeg beside it are what two cores can bear.
          name: 'browser', include: ['client/test/**/*.test.ts'],
          testTimeout: 150_000, hookTimeout: 120_000, expect: { poll: { timeout: 60_000 } }, maxWorkers: 1, sequence: { groupOrder: 1 }
        }
      }
    ]
  }
})
