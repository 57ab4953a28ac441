// The properties of session versioning, looked for in more worlds than `npm test` has time for.

import { expect, it } from 'vitest'
import { properties, search } from './versions/properties.ts'

it.each(properties.map((property) => [property.name, property] as const))('%s', async (_name, property) => {
  expect(await search(property, { seed: 2, runs: 3_000, shrinks: true, invariants: true })).toBeNull()
})
