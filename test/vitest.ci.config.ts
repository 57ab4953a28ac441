// `npm run test:ci` (ci.ts): real processes under SIPp's load for minutes; and the simulator's seeds, crash points and mutants.

import { defineConfig } from 'vitest/config'
import { PlainLineReporter } from './plain-line-reporter.ts'

const root = new URL('..', import.meta.url).pathname
const simulation = 'test/cluster/simulation.ci.test.ts'
const shared = { root, fileParallelism: false, maxConcurrency: 2, hookTimeout: 60_000 }

export default defineConfig({
  test: {
    root,
    reporters: ['verbose', new PlainLineReporter()],
    projects: [
      {
        test: {
          ...shared,
          name: 'processes',
          include: ['test/cluster/*.ci.test.ts'],
          exclude: [simulation],
          testTimeout: 600_000,
        },
      },
      { test: { ...shared, name: 'simulation', include: [simulation], testTimeout: 1_900_000 } },
    ],
  },
})
