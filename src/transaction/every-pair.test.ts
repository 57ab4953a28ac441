// Every (state, event) pair of the four machines, on both kinds of transport: RFC 3261 17 as RFC 6026 changed it. What is no
// row changes nothing, and a timer that isn't armed can't fire (testing/table.ts).
//
// Two events of the standard's figures are not the machines': a server's transport error (17.2.4) is call/unsent.ts's, and
// what timer H would tell a user who waits for an ACK is of no use to a proxy (design.md 4), so it just ends the transaction.

import { describe, expect, test } from 'vitest'
import { micros } from '../base/instant.ts'
import { startInviteClient, stepInviteClient } from './invite-client.ts'
import type { InviteClient, InviteClientEvent } from './invite-client.ts'
import { startInviteServer, stepInviteServer } from './invite-server.ts'
import type { InviteServer, InviteServerEvent } from './invite-server.ts'
import { startNonInviteClient, stepNonInviteClient } from './non-invite-client.ts'
import type { NonInviteClient, NonInviteClientEvent } from './non-invite-client.ts'
import { startNonInviteServer, stepNonInviteServer } from './non-invite-server.ts'
import type { NonInviteServer, NonInviteServerEvent } from './non-invite-server.ts'
import { T0, tableFaults } from './testing/table.ts'
import type { Armed, Row, Subject } from './testing/table.ts'

const T1_64 = 32_000
const T4 = 5_000

/** Both ends of each class of statuses. */
const CLASSES = [
  ['100', 100],
  ['199', 199],
  ['200', 200],
  ['299', 299],
  ['300', 300],
  ['699', 699],
] as const
const PROVISIONAL = ['100', '199'] as const
const SUCCESS = ['200', '299'] as const
const FAILURE = ['300', '699'] as const

/** A row for each of several events. */
function each(
  section: string,
  state: string,
  events: readonly string[],
  next: string,
  actions: readonly string[],
): Row[] {
  return events.map((event) => [section, state, event, next, actions])
}

const responses = new Map(CLASSES.map(([name, status]) => [name, { kind: 'response', status } as const]))
const responds = new Map(CLASSES.map(([name, status]) => [name, { kind: 'respond', status } as const]))

describe('17.1.1, RFC 6026 7.2 and 8.4: INVITE client transaction', () => {
  const subject: Subject<InviteClient, InviteClientEvent> = {
    start: (reliable) => startInviteClient(reliable, T0),
    step: stepInviteClient,
    events: new Map<string, InviteClientEvent>([...responses, ['transport error', { kind: 'transport-error' }]]),
    timers: new Map([
      ['A', (machine) => machine.a?.at ?? null],
      ['B', ({ state, end }) => (state === 'calling' ? end : null)],
      ['D', ({ state, end }) => (state === 'completed' ? end : null)],
      ['M', ({ state, end }) => (state === 'accepted' ? end : null)],
    ]),
  }
  const common: readonly Row[] = [
    ...each('17.1.1.2', 'calling', PROVISIONAL, 'proceeding', ['pass-up']),
    ...each('RFC 6026 7.2', 'calling', SUCCESS, 'accepted', ['pass-up']),
    ['17.1.1.2', 'calling', 'B', 'terminated', ['timeout']],
    ['17.1.4', 'calling', 'transport error', 'terminated', ['transport-error']],
    ...each('17.1.1.2', 'proceeding', PROVISIONAL, 'proceeding', ['pass-up']),
    ...each('RFC 6026 7.2', 'proceeding', SUCCESS, 'accepted', ['pass-up']),
    ...each('RFC 6026 7.2', 'accepted', SUCCESS, 'accepted', ['pass-up']),
    ['RFC 6026 8.4', 'accepted', 'M', 'terminated', []],
  ]

  test('on an unreliable transport', () => {
    const armed: readonly Armed[] = [
      // 17.1.1.1 lets an element take more than T1 for timer A (docs/decisions/0013).
      ['17.1.1.2', 'calling', { A: 600, B: T1_64 }],
      ['17.1.1.2', 'proceeding', {}],
      ['17.1.1.2', 'completed', { D: T1_64 }],
      ['RFC 6026 8.4', 'accepted', { M: T1_64 }],
      ['17.1.1.2', 'terminated', {}],
    ]
    const rows: readonly Row[] = [
      ...common,
      ['17.1.1.2', 'calling', 'A', 'calling', ['send-request']],
      ...each('17.1.1.3', 'calling', FAILURE, 'completed', ['send-ack', 'pass-up']),
      ...each('17.1.1.3', 'proceeding', FAILURE, 'completed', ['send-ack', 'pass-up']),
      ...each('17.1.1.2', 'completed', FAILURE, 'completed', ['send-ack']),
      ['17.1.1.2', 'completed', 'D', 'terminated', []],
      ['17.1.4', 'completed', 'transport error', 'terminated', ['transport-error']],
    ]
    expect(tableFaults(subject, false, armed, rows)).toEqual([])
  })

  test('on a reliable one: no timer A, and timer D is zero, so completed is passed through', () => {
    const armed: readonly Armed[] = [
      ['17.1.1.2', 'calling', { B: T1_64 }],
      ['17.1.1.2', 'proceeding', {}],
      ['RFC 6026 8.4', 'accepted', { M: T1_64 }],
      ['17.1.1.2', 'terminated', {}],
    ]
    const rows: readonly Row[] = [
      ...common,
      ...each('17.1.1.3', 'calling', FAILURE, 'terminated', ['send-ack', 'pass-up']),
      ...each('17.1.1.3', 'proceeding', FAILURE, 'terminated', ['send-ack', 'pass-up']),
    ]
    expect(tableFaults(subject, true, armed, rows)).toEqual([])
  })
})

describe('17.2.1, RFC 6026 7.1 and 8.5: INVITE server transaction', () => {
  const subject: Subject<InviteServer, InviteServerEvent> = {
    start: startInviteServer,
    step: stepInviteServer,
    events: new Map<string, InviteServerEvent>([...responds, ['INVITE', { kind: 'invite' }], ['ACK', { kind: 'ack' }]]),
    timers: new Map([
      ['G', (machine) => machine.g?.at ?? null],
      ['H', ({ state, end }) => (state === 'completed' ? end : null)],
      ['I', ({ state, end }) => (state === 'confirmed' ? end : null)],
      ['L', ({ state, end }) => (state === 'accepted' ? end : null)],
    ]),
  }
  const common: readonly Row[] = [
    ['17.2.1', 'proceeding', 'INVITE', 'proceeding', ['send-provisional']],
    ...each('17.2.1', 'proceeding', PROVISIONAL, 'proceeding', ['send-response']),
    ...each('RFC 6026 7.1', 'proceeding', SUCCESS, 'accepted', ['send-response']),
    ...each('17.2.1', 'proceeding', FAILURE, 'completed', ['send-response']),
    ['17.2.1', 'completed', 'INVITE', 'completed', ['send-final']],
    ['17.2.1', 'completed', 'H', 'terminated', []],
    // A repeated INVITE in accepted is absorbed: its 2xx is the callee's to repeat.
    ...each('RFC 6026 7.1', 'accepted', SUCCESS, 'accepted', ['send-response']),
    ['RFC 6026 7.1', 'accepted', 'ACK', 'accepted', ['pass-up']],
    ['RFC 6026 7.1', 'accepted', 'L', 'terminated', []],
  ]

  test('on an unreliable transport', () => {
    const armed: readonly Armed[] = [
      ['17.2.1', 'proceeding', {}],
      ['17.2.1', 'completed', { G: 500, H: T1_64 }],
      ['17.2.1', 'confirmed', { I: T4 }],
      ['RFC 6026 7.1', 'accepted', { L: T1_64 }],
      ['17.2.1', 'terminated', {}],
    ]
    const rows: readonly Row[] = [
      ...common,
      ['17.2.1', 'completed', 'G', 'completed', ['send-final']],
      ['17.2.1', 'completed', 'ACK', 'confirmed', []],
      ['17.2.1', 'confirmed', 'I', 'terminated', []],
    ]
    expect(tableFaults(subject, false, armed, rows)).toEqual([])
  })

  test('on a reliable one: no timer G, and timer I is zero, so confirmed is passed through', () => {
    const armed: readonly Armed[] = [
      ['17.2.1', 'proceeding', {}],
      ['17.2.1', 'completed', { H: T1_64 }],
      ['RFC 6026 7.1', 'accepted', { L: T1_64 }],
      ['17.2.1', 'terminated', {}],
    ]
    const rows: readonly Row[] = [...common, ['17.2.1', 'completed', 'ACK', 'terminated', []]]
    expect(tableFaults(subject, true, armed, rows)).toEqual([])
  })
})

describe('17.1.2: non-INVITE client transaction', () => {
  const subject: Subject<NonInviteClient, NonInviteClientEvent> = {
    start: (reliable) => startNonInviteClient(reliable, micros(0), T0),
    step: stepNonInviteClient,
    events: new Map<string, NonInviteClientEvent>([...responses, ['transport error', { kind: 'transport-error' }]]),
    timers: new Map([
      ['E', (machine) => machine.e?.at ?? null],
      ['F', ({ state, end }) => (state === 'trying' || state === 'proceeding' ? end : null)],
      ['K', ({ state, end }) => (state === 'completed' ? end : null)],
    ]),
  }
  const waiting = ['trying', 'proceeding'] as const
  const common: readonly Row[] = waiting.flatMap((state) => [
    ...each('17.1.2.2', state, PROVISIONAL, 'proceeding', ['pass-up']),
    ['17.1.2.2', state, 'F', 'terminated', ['timeout']] as const,
    ['17.1.4', state, 'transport error', 'terminated', ['transport-error']] as const,
  ])

  test('on an unreliable transport', () => {
    const armed: readonly Armed[] = [
      ['17.1.2.2', 'trying', { E: 500, F: T1_64 }],
      ['17.1.2.2', 'proceeding', { E: 500, F: T1_64 }],
      ['17.1.2.2', 'completed', { K: T4 }],
      ['17.1.2.2', 'terminated', {}],
    ]
    const rows: readonly Row[] = [
      ...common,
      ...waiting.flatMap((state) => [
        ['17.1.2.2', state, 'E', state, ['send-request']] as const,
        ...each('17.1.2.2', state, [...SUCCESS, ...FAILURE], 'completed', ['pass-up']),
      ]),
      ['17.1.2.2', 'completed', 'K', 'terminated', []],
    ]
    expect(tableFaults(subject, false, armed, rows)).toEqual([])
  })

  test('on a reliable one: no timer E, and timer K is zero, so completed is passed through', () => {
    const armed: readonly Armed[] = [
      ['17.1.2.2', 'trying', { F: T1_64 }],
      ['17.1.2.2', 'proceeding', { F: T1_64 }],
      ['17.1.2.2', 'terminated', {}],
    ]
    const rows: readonly Row[] = [
      ...common,
      ...waiting.flatMap((state) => each('17.1.2.2', state, [...SUCCESS, ...FAILURE], 'terminated', ['pass-up'])),
    ]
    expect(tableFaults(subject, true, armed, rows)).toEqual([])
  })
})

describe('17.2.2: non-INVITE server transaction', () => {
  const subject: Subject<NonInviteServer, NonInviteServerEvent> = {
    start: startNonInviteServer,
    step: stepNonInviteServer,
    events: new Map<string, NonInviteServerEvent>([...responds, ['request', { kind: 'request' }]]),
    timers: new Map([['J', (machine) => machine.j]]),
  }

  // Timer J is 64*T1 on a reliable transport too: between replicas an input is passed on at least once.
  test('on any transport', () => {
    const armed: readonly Armed[] = [
      ['17.2.2', 'trying', {}],
      ['17.2.2', 'proceeding', {}],
      ['17.2.2', 'completed', { J: T1_64 }],
      ['17.2.2', 'terminated', {}],
    ]
    const rows: readonly Row[] = [
      ...['trying', 'proceeding'].flatMap((state) => [
        ...each('17.2.2', state, PROVISIONAL, 'proceeding', ['send-response']),
        ...each('17.2.2', state, [...SUCCESS, ...FAILURE], 'completed', ['send-response']),
      ]),
      ['17.2.2', 'proceeding', 'request', 'proceeding', ['send-last']],
      ['17.2.2', 'completed', 'request', 'completed', ['send-last']],
      ['17.2.2', 'completed', 'J', 'terminated', []],
    ]
    expect(tableFaults(subject, false, armed, rows)).toEqual([])
  })
})
