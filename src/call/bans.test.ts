import { expect, test } from 'vitest'
import { instant, stamp } from '../base/instant.ts'
import type { BanChange, CallContext, CallResult } from './contract.ts'
import { BANS } from './bans.ts'
import { entityBytes } from './entities.ts'
import { emptyLocal, loadGroup, stepGroup } from './group.ts'
import type { Group } from './group.ts'
import { callLimits } from './limits.ts'

const context: CallContext = {
  now: instant(0),
  cluster: stamp(0),
  settings: { sip: { host: '127.31.0.1', port: 5060 }, nextHop: null },
  keys: { current: 0, key: () => null },
  format: 2,
  acceptsCalls: true,
  keepsRelays: true,
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

const step = (group: Group, change: BanChange): CallResult<Group> =>
  stepGroup(group, { kind: 'ban', change, ref: -1 }, context)

test('with as many as may be, one more is not made, those there are can be given another end, and one that goes makes room', () => {
  const full = banned(callLimits.bans)
  expect(step(full, { kind: 'ban', source: '198.51.100.7', after: null })).toMatchObject({
    commit: null,
    handled: [-1],
  })
  expect(step(full, { kind: 'ban', source: '192.0.0.1', after: null }).commit?.puts).toHaveLength(1)
  const { group } = step(full, { kind: 'unban', source: '192.0.0.1' })
  expect(step(group, { kind: 'ban', source: '198.51.100.7', after: null }).commit?.puts).toHaveLength(1)
})

test('to take back what is not banned needs no commit', () => {
  expect(step(banned(1), { kind: 'unban', source: '198.51.100.7' })).toMatchObject({ commit: null, handled: [-1] })
})
