import { expect, test } from 'vitest'
import { groupKey } from '../base/brand.ts'
import { IntentQueue } from './intent-queue.ts'
import type { WaitingIntent } from './intent-queue.ts'

const G = groupKey('00000000000000ef')
const intent = (id: string, group = G): WaitingIntent => ({ group, id })
/** The lane is the first letter; two at a time. */
const queue = (): IntentQueue =>
  new IntentQueue(
    () => 2,
    ({ id }) => id.slice(0, 1),
  )
const take = (from: IntentQueue): string | undefined => from.take()?.id

test('oldest first, a bounded number at a time; the rest as those are done', () => {
  const waiting = queue()
  for (const id of ['a1', 'a2', 'a3']) waiting.push(intent(id))
  expect([take(waiting), take(waiting), take(waiting)]).toEqual(['a1', 'a2', undefined])
  expect(waiting.busy).toBe(false)
  waiting.done(intent('a1'))
  expect([waiting.busy, take(waiting), take(waiting)]).toEqual([true, 'a3', undefined])
})

test('a lane whose performances never end holds up no other one', () => {
  const waiting = queue()
  for (let n = 0; n < 100; n++) waiting.push(intent(`a${n}`))
  waiting.push(intent('b1'))
  expect([take(waiting), take(waiting), take(waiting), take(waiting)]).toEqual(['a0', 'a1', 'b1', undefined])
})

test('one that is being performed is not taken again; dropped with its group, it may be', () => {
  const waiting = queue()
  for (const id of ['a1', 'a1', 'a2']) waiting.push(intent(id))
  expect([take(waiting), take(waiting)]).toEqual(['a1', 'a2'])
  waiting.drop(G)
  waiting.push(intent('a1'))
  expect(take(waiting)).toBe('a1')
})

test('of groups that went elsewhere none waits', () => {
  const other = groupKey('00000000000000fe')
  const waiting = queue()
  waiting.push(intent('a1', other))
  waiting.push(intent('a2'))
  waiting.keep(({ group }) => group === G)
  expect([take(waiting), take(waiting)]).toEqual(['a2', undefined])
  waiting.push(intent('a3'))
  waiting.clear()
  expect(waiting.busy).toBe(false)
})
