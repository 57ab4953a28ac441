import { must } from '../../src/base/assert.ts'
import { answerHunt } from '../bug-thread.ts'
import type { Search } from './properties.ts'

await answerHunt(async (broken, options: Search) => {
  const { properties, search } = await import('./properties.ts')
  const property = properties.find(({ promise }) => promise === broken)
  return search(must(property, 'a property for each bug'), options)
})
