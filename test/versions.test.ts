// Session versioning in our own store (issue 4, 5): its properties hold, and each would be missed.

import { describe, expect, it } from 'vitest'
import { findBug } from './bug-thread.ts'
import { bugs } from './versions/bugs.ts'
import { properties, search } from './versions/properties.ts'

const seed = 1

describe('it holds that', () => {
  it.each(properties.map((property) => [property.name, property] as const))('%s', async (_name, property) => {
    expect(await search(property, { seed, runs: 25, shrinks: true, invariants: true })).toBeNull()
  })
})

describe('without the line for it', () => {
  it.each(bugs.map((bug) => [bug.story, bug] as const))('%s', async (_story, mutant) => {
    const found = await findBug(new URL('./versions/bug-worker.ts', import.meta.url), mutant, {
      seed,
      runs: 300,
      shrinks: false,
      invariants: false,
    })
    const property = properties.find(({ key }) => key === mutant.promise)
    expect(found ?? 'nothing').toContain(`${property?.promise}: `)
  })

  it('each property has a bug that shows that it can fail', () => {
    expect(new Set(bugs.map(({ promise }) => promise))).toEqual(new Set(properties.map(({ key }) => key)))
  })
})
