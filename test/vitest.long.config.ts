// `npm run test:long`: what needs a quiet machine for minutes. Run by hand; its figures are in docs/MEASUREMENTS.md.

import { defineConfig } from 'vitest/config'
import { PlainLineReporter } from './plain-line-reporter.ts'

export default defineConfig({
  test: {
    root: new URL('..', import.meta.url).pathname,
    name: 'long',
    reporters: ['verbose', new PlainLineReporter()],
    include: ['test/*.long.test.ts', 'test/{cluster,interop}/*.long.test.ts'],
    fileParallelism: false,
    testTimeout: 600_000,
    hookTimeout: 60_000,
  },
})
