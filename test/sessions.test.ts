// Sessions and timers of applications under races (issue 7): their properties hold. That each would notice its bug, the long tests
// show (test/sessions.long.test.ts).

import { describe, expect, it } from 'vitest'
import { properties, search } from './sessions/properties.ts'

describe('it holds that', () => {
  it.each(properties.map((property) => [property.name, property] as const))('%s', async (_name, property) => {
    expect(await search(property, { seed: 1, runs: 10, shrinks: true })).toBeNull()
  })
})
