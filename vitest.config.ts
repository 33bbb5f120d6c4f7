import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['server/**/*.test.ts', 'shared/**/*.test.ts', 'client/**/*.test.ts', 'scripts/**/*.test.ts'],
    globalSetup: ['server/test/services.ts'],
    testTimeout: 150_000,
    // A browser on a busy machine now and then misses a beat; what is broken stays broken the second time.
    retry: 1,
    expect: { poll: { timeout: 20_000 } },
    hookTimeout: 120_000,
    maxWorkers: 2
  }
})
