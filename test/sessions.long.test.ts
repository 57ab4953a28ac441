// The promises of test/sessions.test.ts in many more worlds; and each would be missed: with a bug for it planted, it is broken.

import { describe, expect, it } from 'vitest'
import { findBug } from './bug-thread.ts'
import { bugs } from './sessions/bugs.ts'
import { properties, search } from './sessions/properties.ts'

describe('it holds that', () => {
  it.each(properties.map((property) => [property.name, property] as const))('%s', async (_name, property) => {
    expect(await search(property, { seed: 2, runs: 3_000, shrinks: true })).toBeNull()
  })
})

describe('without the line for it', () => {
  it.each(bugs.map((bug) => [bug.story, bug] as const))('%s', async (_story, mutant) => {
    const found = await findBug(new URL('./sessions/bug-worker.ts', import.meta.url), mutant, {
      seed: 1,
      runs: 300,
      shrinks: false,
    })
    expect(found ?? 'nothing').toContain(`${mutant.promise}: `)
  })

  it('each promise has a bug that shows that it can be broken', () => {
    expect(new Set(bugs.map(({ promise }) => promise))).toEqual(new Set(properties.map(({ promise }) => promise)))
  })
})
