import { describe, expect, test } from 'vitest'
import { instant, micros, plus, seconds } from '../base/instant.ts'
import { nonInviteClientDeadline, startNonInviteClient, stepNonInviteClient } from './non-invite-client.ts'
import type { NonInviteClient, NonInviteClientEvent } from './non-invite-client.ts'
import { nonInviteServerDeadline, startNonInviteServer, stepNonInviteServer } from './non-invite-server.ts'
import type { NonInviteServer, NonInviteServerEvent } from './non-invite-server.ts'

const t0 = instant(1_000)

describe('RFC 3261 figure 6: non-INVITE client transaction', () => {
  const response = (status: number): NonInviteClientEvent => ({ kind: 'response', status })

  function inState(state: NonInviteClient['state']): NonInviteClient {
    const trying = startNonInviteClient(false, micros(0), t0)
    if (state === 'proceeding') return stepNonInviteClient(trying, response(100), t0).machine
    if (state === 'completed') return stepNonInviteClient(trying, response(200), t0).machine
    return state === 'trying' ? trying : { state, reliable: false, e: null, end: null }
  }

  const retransmissions = (first: NonInviteClient): { sent: number[]; end: number; timedOut: boolean } => {
    let machine = first
    const sent: number[] = []
    let timedOut = false
    let now = t0
    for (let at = nonInviteClientDeadline(machine); at !== null; at = nonInviteClientDeadline(machine)) {
      now = at
      const step = stepNonInviteClient(machine, { kind: 'time' }, now)
      machine = step.machine
      if (step.actions.includes('send-request')) sent.push((now - t0) / 1_000)
      if (step.actions.includes('timeout')) timedOut = true
    }
    return { sent, end: (now - t0) / 1_000, timedOut }
  }

  test('17.1.2.2: timer E doubles up to T2 in trying, timer F ends it after 64*T1', () => {
    const { sent, end, timedOut } = retransmissions(inState('trying'))
    expect(sent).toEqual([500, 1_500, 3_500, 7_500, 11_500, 15_500, 19_500, 23_500, 27_500, 31_500])
    expect([end, timedOut]).toEqual([32_000, true])
  })

  test('17.1.2.2: in proceeding timer E is T2', () => {
    const { sent } = retransmissions(inState('proceeding'))
    expect(sent.slice(0, 3)).toEqual([500, 4_500, 8_500])
  })

  test('17.1.2.2: timer K absorbs repeats for T4, not at all on a reliable transport', () => {
    expect(nonInviteClientDeadline(inState('completed'))).toBe(plus(t0, seconds(5)))
    const reliable = stepNonInviteClient(startNonInviteClient(true, micros(0), t0), response(200), t0)
    expect(reliable.machine.state).toBe('terminated')
  })

  test('what was decided before a takeover has only the rest of timer F', () => {
    expect(startNonInviteClient(true, seconds(30), t0).end).toBe(plus(t0, seconds(2)))
  })
})

describe('RFC 3261 figure 8: non-INVITE server transaction', () => {
  const respond = (status: number): NonInviteServerEvent => ({ kind: 'respond', status })

  function inState(state: NonInviteServer['state']): NonInviteServer {
    if (state === 'proceeding') return stepNonInviteServer(startNonInviteServer(), respond(100), t0).machine
    if (state === 'completed') return stepNonInviteServer(startNonInviteServer(), respond(200), t0).machine
    return { state, j: null }
  }

  test('17.2.2: timer J ends it 64*T1 after its final', () => {
    const machine = inState('completed')
    expect(nonInviteServerDeadline(machine)).toBe(plus(t0, seconds(32)))
    expect(stepNonInviteServer(machine, { kind: 'time' }, plus(t0, seconds(32))).machine.state).toBe('terminated')
    expect(nonInviteServerDeadline(inState('proceeding'))).toBeNull()
  })
})
