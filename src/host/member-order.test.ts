import { expect, test } from 'vitest'
import { isMemberOrder, memberOrders, readMemberOrder } from './member-order.ts'

test('an order says its place and what else it takes; what is left out is null', () => {
  const addresses = { peer: '127.0.0.1:8164', admin: '127.0.0.1:8064' }
  expect(readMemberOrder('add', { place: 4, ...addresses })).toEqual({
    ok: true,
    value: { kind: 'add', place: 4, ...addresses },
  })
  expect(readMemberOrder('remove', { place: 1 })).toEqual({ ok: true, value: { kind: 'remove', place: 1 } })
  expect(readMemberOrder('replace', { place: 2 })).toEqual({
    ok: true,
    value: { kind: 'replace', place: 2, id: null, peer: null, admin: null },
  })
  expect(readMemberOrder('transfer', {})).toEqual({ ok: true, value: { kind: 'transfer', place: null } })
})

test.each([
  ['add', { place: 4 }, 'peer'],
  ['add', { place: 4, peer: 'phone:1', admin: '127.0.0.1:8064' }, 'peer: "phone:1": "phone" is not an IP address'],
  ['remove', { place: 0 }, 'place'],
  ['remove', {}, 'place'],
  ['transfer', { place: '2' }, 'place'],
  ['rebootstrap', { place: 1 }, 'lose'],
  ['remove', { place: 1, force: true }, 'unknown "force"; remove takes place'],
] as const)('%s %o is refused: %s', (kind, fields, said) => {
  const read = readMemberOrder(kind, fields)
  expect(read.ok ? '' : read.error).toContain(said)
})

test('replicas ask to join each other; nobody else does', () => {
  expect(memberOrders).toEqual(['add', 'remove', 'replace', 'transfer', 'rebootstrap'])
  expect(isMemberOrder('join')).toBe(false)
})
