import { expect, it } from 'vitest'
import { differenceOf } from './difference.ts'

const events = Array.from({ length: 10 }, (_, i) => `event ${i + 1}`)

it('names the first event that is not the same, with what comes before and after it', () => {
  const other = events.with(6, 'another')
  expect(differenceOf(events, other)).toEqual({
    event: 7,
    common: ['event 4', 'event 5', 'event 6'],
    first: ['event 7', 'event 8', 'event 9', 'event 10'],
    second: ['another', 'event 8', 'event 9', 'event 10'],
  })
})

it('is at the end of the shorter one, if that is all', () => {
  expect(differenceOf(events, events.slice(0, 9))).toMatchObject({ event: 10, first: ['event 10'], second: [] })
})

it('is none between equals', () => {
  expect(differenceOf(events, [...events])).toBeNull()
})
