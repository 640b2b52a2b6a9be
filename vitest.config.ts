import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    projects: [
      // Fast and offline, but not on every machine: laws, tables, the double, types of errors.
      { test: { name: 'unit', include: ['test/unit/**/*.test.ts', 'test/property/**/*.test.ts', 'test/contract/**/*.memory.test.ts'], testTimeout: 30_000 } },
      // Real etcd servers and foreign judges. Two cores: one file at a time.
      {
        test: {
          name: 'servers',
          include: ['test/contract/**/*.servers.test.ts', 'test/interop/**/*.test.ts'],
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
