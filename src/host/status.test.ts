import { expect, test } from 'vitest'
import { statusTable } from './status.ts'

test('one line a replica, in columns; one that does not answer says why; what is missing is a dash', () => {
  const status = {
    replica: 1,
    role: 'leader',
    term: 12,
    commitIndex: 3_456,
    appliedIndex: 3_456,
    detached: true,
    serving: [{ id: 1 }, { id: 3 }],
    groups: 7,
    calls: { early: 1, confirmed: 2 },
    timers: { pending: 9 },
    intents: { open: 0 },
    storeHash: { index: 3_456, hash: '0123456789abcdef' },
  }
  expect(statusTable([status, { replica: 2, unreachable: 'not running' }, { replica: 3 }])).toBe(
    [
      'replica  role              term  commit  applied  serving  early  confirmed  groups  timers  intents  hash',
      '1        leader, detached  12    3456    3456     1,3      1      2          7       9       0        01234567@3456',
      '2        not running',
      '3        -                 -     -       -        nobody   -      -          -       -       -        -',
      '',
    ].join('\n'),
  )
})
