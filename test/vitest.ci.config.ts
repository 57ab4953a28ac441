// `npm run test:ci`: real processes under SIPp's load for minutes, a thousand seeds of the simulator, and the mutants.

import { defineConfig } from 'vitest/config'
import { PlainLineReporter } from './plain-line-reporter.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    name: 'ci',
    reporters: ['verbose', new PlainLineReporter()],
    include: ['test/cluster/*.ci.test.ts'],
    fileParallelism: false,
    maxConcurrency: 2,
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
})
