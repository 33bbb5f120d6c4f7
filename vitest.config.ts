import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['server/**/*.test.ts', 'shared/**/*.test.ts', 'client/**/*.test.ts', 'scripts/**/*.test.ts'],
    globalSetup: ['server/test/services.ts'],
    testTimeout: 150_000,
    hookTimeout: 120_000,
    maxWorkers: 2
  }
})
