// Consensus and its log on disk agree with models of them (issue 5, "done when" 2), and each difference would be seen.

import { describe, expect, it } from 'vitest'
import { findBug } from './bug-thread.ts'
import { bugs } from './models/bugs.ts'
import { models } from './models/properties.ts'

const seed = 1

describe('it holds that', () => {
  it.each(models.map((model) => [model.name, model] as const))('%s', async (_name, model) => {
    expect(await model.find({ seed, runs: 300, shrinks: true })).toBeNull()
  })
})

describe('a model misses no bug:', () => {
  it.each(bugs.map((bug) => [`${bug.promise}: ${bug.story}`, bug] as const))('%s', async (_story, mutant) => {
    const found = await findBug(new URL('./models/bug-worker.ts', import.meta.url), mutant, {
      seed,
      runs: 2_000,
      shrinks: false,
    })
    expect(found).not.toBeNull()
  })

  it('each has bugs that show that it can fail', () => {
    expect(new Set(bugs.map(({ promise }) => promise))).toEqual(new Set(models.map(({ key }) => key)))
  })
})
