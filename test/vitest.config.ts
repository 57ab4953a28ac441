// `npm test`: the rooms' own tests, the tidy test and the quick tests with real processes. The long ones are `test:ci`,
// those that need a quiet machine `test:long`.

import { defineConfig } from 'vitest/config'
import { PlainLineReporter } from './plain-line-reporter.ts'

const root = new URL('..', import.meta.url).pathname

export default defineConfig({
  test: {
    root,
    reporters: ['default', new PlainLineReporter()],
    projects: [
      {
        // Examples import what their readers do.
        resolve: {
          alias: { 'holdfast/servlet': `${root}src/servlet/index.ts`, 'holdfast/sim': `${root}sim/index.ts` },
        },
        test: {
          root,
          name: 'unit',
          include: [
            'src/**/*.test.ts',
            'sim/**/*.test.ts',
            'test/*.test.ts',
            'test/{raft,torture,fuzz,applications,bench/peers}/*.test.ts',
          ],
          exclude: ['test/*.long.test.ts'],
          testTimeout: 60_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          root,
          name: 'cluster',
          include: ['test/cluster/*.test.ts'],
          exclude: ['test/cluster/*.{ci,long}.test.ts'],
          // Real processes under load: one file at a time, after the unit tests.
          fileParallelism: false,
          testTimeout: 120_000,
          hookTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
    ],
  },
})
