import { afterEach, beforeEach, expect, test } from 'vitest'
import { banMain } from './ban-command.ts'
import { adminStage } from './testing/admin-stage.ts'
import type { Answer } from './testing/admin-stage.ts'

const { begin, end, written, play } = adminStage('127.40.8.1', banMain)
beforeEach(begin)
afterEach(end)

const until = 1_700_000_060_000_000
const banned = { status: 200, body: { ok: true, source: '192.0.2.7', until } }

/** An admin address whose orders get these answers, one after another. */
const scene = (...answers: readonly Answer[]): ReturnType<typeof play> =>
  play({ '/status': [], '/bans': [{ source: '192.0.2.0/24', since: until - 60_000_000, until: null }] }, answers)

test('add says until when; while there is no quorum it is asked for again', async () => {
  const { orders, run } = await scene({ status: 503, body: { ok: false, error: 'ask again' } }, banned)
  expect(await run('add', '192.0.2.7', '--for', '60')).toBe(0)
  const order = '/bans/add {"source":"192.0.2.7","seconds":60}'
  expect(orders).toEqual([order, order])
  expect(written.out).toBe('192.0.2.7 is banned until 2023-11-14T22:14:20.000Z\n')
})

test('what the set refuses is said, and nothing is asked again', async () => {
  const { orders, run } = await scene({ status: 409, body: { ok: false, error: '1000 sources are banned already' } })
  expect(await run('add', '192.0.2.7')).toBe(1)
  expect(written.errors).toContain('1000 sources are banned already')
  expect(orders).toHaveLength(1)
})

test('list shows each source, remove takes one back', async () => {
  const { orders, run } = await scene({ status: 200, body: { ok: true, source: '192.0.2.0/24', until: null } })
  expect([await run('list'), await run('remove', '192.0.2.0/24')]).toEqual([0, 0])
  expect(orders).toEqual(['/bans/remove {"source":"192.0.2.0/24"}'])
  expect(written.out).toBe('192.0.2.0/24  since 2023-11-14T22:13:20.000Z, until it is removed\n192.0.2.0/24 is heard\n')
})

test.each([
  [['add'], 'SOURCE is missing'],
  [['add', '192.0.2.7', '--for', 'ever'], '--for ever: give a whole number of seconds'],
  [['forget'], 'unknown command "forget"'],
])('%j is wrong usage, and what would be right is said', async (args, said) => {
  const { run } = await scene()
  expect(await run(...args)).toBe(64)
  expect(written.errors).toContain(said)
})
