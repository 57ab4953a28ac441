import { expect, test } from 'vitest'
import { instant, plus, seconds, stamp } from '../base/instant.ts'
import type { BanChange, CallContext, CallResult } from './contract.ts'
import { BANS } from './bans.ts'
import { entityBytes } from './entities.ts'
import { emptyLocal, loadGroup, stepGroup } from './group.ts'
import type { Group } from './group.ts'
import { callLimits } from './limits.ts'

const context: CallContext = {
  now: instant(0),
  cluster: stamp(1_700_000_000_000_000),
  settings: { sip: { host: '127.31.0.1', port: 5060 }, nextHop: null },
  keys: { current: 0, at: () => 0, key: () => null },
  format: 2,
  acceptsCalls: true,
  keepsRelays: true,
  view: () => null,
  counter: () => 0,
  admit: () => 'admit',
}

function banned(count: number): Group {
  const entities = Array.from({ length: count }, (_, i) => {
    const source = `192.0.${i >> 8}.${i & 255}`
    const bytes = entityBytes({ kind: 'ban', source, since: stamp(0) }, 2)
    return { tree: 'ServletContext', id: source, version: 1, stamp: stamp(0), bytes } as const
  })
  const view = { key: BANS, version: 1, entities, timers: [], holds: [], intents: [] }
  return loadGroup(BANS, view, emptyLocal)
}

let asked = 0
const mark = () => ({ id: `1.a.1#${++asked}`, until: plus(context.cluster, seconds(2)) })
const step = (group: Group, change: BanChange, by = mark(), cluster = context.cluster): CallResult<Group> =>
  stepGroup(group, { kind: 'ban', change, mark: by, ref: 1 }, { ...context, cluster })
const put = (result: CallResult<Group>): readonly string[] => (result.commit?.puts ?? []).map(({ id }) => id)

test('with as many as may be, one more is not made, those there are can be given another end, and one that goes makes room', () => {
  const full = banned(callLimits.bans)
  expect(step(full, { kind: 'ban', source: '198.51.100.7', after: null })).toMatchObject({
    commit: null,
    handled: [1],
    outcome: { kind: 'refused', again: false },
  })
  expect(put(step(full, { kind: 'ban', source: '192.0.0.1', after: null }))).toEqual(['192.0.0.1', 'ordered'])
  const { group } = step(full, { kind: 'unban', source: '192.0.0.1' })
  expect(put(step(group, { kind: 'ban', source: '198.51.100.7', after: null }))).toEqual(['198.51.100.7', 'ordered'])
})

test('to take back what is not banned needs no commit', () => {
  expect(step(banned(1), { kind: 'unban', source: '198.51.100.7' })).toMatchObject({ commit: null, handled: [1] })
})

test('an order that is asked for again is done once, even if another one has undone it; and not at all if it comes too late', () => {
  const ban = { kind: 'ban', source: '198.51.100.7', after: seconds(60) } as const
  const first = mark()
  const { group } = step(banned(0), ban, first)
  expect(step(group, ban, first)).toMatchObject({ commit: null, outcome: { kind: 'done' } })
  const { group: freed } = step(group, { kind: 'unban', source: ban.source })
  expect(step(freed, ban, first)).toMatchObject({ commit: null, outcome: { kind: 'done' } })
  expect(put(step(freed, ban))).toContain(ban.source)
  const late = plus(context.cluster, seconds(3))
  expect(step(banned(0), ban, first, late)).toMatchObject({ commit: null, outcome: { kind: 'refused', again: true } })
})

test('marks go after some seconds; while there are as many as may be, one more order is told to ask again', () => {
  const changes = (i: number): BanChange => ({ kind: 'ban', source: '192.0.2.7', after: seconds(60 + i) })
  let group = banned(0)
  for (let i = 0; i < callLimits.orders; i++) group = step(group, changes(i)).group
  expect(step(group, changes(1_000))).toMatchObject({ commit: null, outcome: { kind: 'refused', again: true } })
  const later = plus(context.cluster, seconds(5))
  expect(put(step(group, changes(1_000), { id: 'x', until: plus(later, seconds(1)) }, later))).toContain('192.0.2.7')
})
