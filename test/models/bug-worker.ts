import { must } from '../../src/base/assert.ts'
import { answerHunt } from '../bug-thread.ts'
import type { Search } from './model.ts'

await answerHunt(async (broken, options: Search) => {
  const { models } = await import('./properties.ts')
  const model = models.find(({ key }) => key === broken)
  return must(model, 'a model for each bug').find(options)
})
