// The promises of test/sessions.test.ts in many more worlds; and each would be missed: with a bug for it planted, it is broken.

import { once } from 'node:events'
import { Worker } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import type { BugHunt } from './sessions/bug-worker.ts'
import { bugs } from './sessions/bugs.ts'
import { properties, search } from './sessions/properties.ts'

describe('it holds that', () => {
  it.each(properties.map((property) => [property.name, property] as const))('%s', async (_name, property) => {
    expect(await search(property, { seed: 2, runs: 3_000, shrinks: true })).toBeNull()
  })
})

describe('without the line for it', () => {
  it.each(bugs.map((bug) => [bug.story, bug] as const))('%s', async (_story, mutant) => {
    const worker = new Worker(new URL('sessions/bug-worker.ts', import.meta.url), {
      workerData: { mutant, options: { seed: 1, runs: 300, shrinks: false } } satisfies BugHunt,
    })
    const [found] = (await once(worker, 'message')) as [string | null]
    await worker.terminate()
    expect(found ?? 'nothing').toContain(`${mutant.promise}: `)
  })

  it('each promise has a bug that shows that it can be broken', () => {
    expect(new Set(bugs.map(({ promise }) => promise))).toEqual(new Set(properties.map(({ promise }) => promise)))
  })
})
