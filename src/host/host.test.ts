import { pino } from 'pino'
import { expect, test } from 'vitest'
import { replicaId } from '../base/brand.ts'
import { instant, stamp } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { Effect, Persist, Send } from '../replica/effect.ts'
import type { Input, InputBody } from '../replica/input.ts'
import { Host } from './host.ts'
import type { World } from './host.ts'

/** A host around a replica that answers inputs as `react` says; `log` has what happened, in order. */
function scene(react: (input: Input) => readonly Effect[], deadline: () => Instant | null = () => null) {
  const log: string[] = []
  let now = 0
  const clock = { now: () => instant(now), wall: () => stamp(0) }
  let unsent: InputBody | null = null
  const world: World = {
    send: (send) => {
      log.push(`send ${send.data}`)
      if (unsent !== null) host.give(unsent)
      unsent = null
    },
    peer: ({ to }) => void log.push(`peer ${to}`),
    peers: () => void log.push('peers'),
    flush: () => void log.push('flush'),
    snapshot: ({ number }) => void log.push(`snapshot ${number}`),
    persist: ({ number }) => void log.push(`persist ${number}`),
    openSip: () => void log.push('open'),
    closeSip: () => void log.push('close'),
    reply: ({ id }) => void log.push(`reply ${id}`),
    locate: ({ host }) => void log.push(`locate ${host}`),
    notice: ({ kind }) => void log.push(`notice ${kind}`),
    stop: (why) => {
      if (why.kind === 'end') log.push('end')
      else log.push(why.kind === 'stop' ? `stop ${why.reason}` : `bug ${String(why.error)}`)
    },
  }
  const door = {
    step: (input: Input) => {
      log.push(`step ${input.kind}`)
      return react(input)
    },
    deadline,
  }
  const host = new Host(door, clock, world, pino({ enabled: false }))
  const pass = (us: number): void => void (now += us)
  return { host, log, pass, refuse: (input: InputBody) => void (unsent = input) }
}

const send = (data: string): Send => ({
  kind: 'send',
  flow: { transport: 'udp', host: '127.0.0.1', port: 1, stream: '' },
  data,
  notAfter: instant(1_000_000),
  origin: null,
})
const sip: InputBody = { kind: 'sip', flow: send('').flow, data: 'x' }
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

test('decision 0037: what stays in the set comes back as if from the network, behind what is under way', async () => {
  const inside: Send = { ...send('on'), isInside: true }
  const given: Input[] = []
  const { host, log } = scene((input) => {
    given.push(input)
    return given.length === 1 ? [inside, send('out')] : []
  })
  host.give(sip)
  expect(log).toEqual(['step sip', 'send out', 'step sip'])
  expect(given[1]).toMatchObject({ kind: 'sip', flow: inside.flow, data: 'on' })
  await turn()
})

test('effects are carried out in order; the turn ends with one time input, and then frames leave', async () => {
  const peer: Effect = { kind: 'peer', to: replicaId(2), frame: new Uint8Array(1) }
  const { host, log } = scene((input) => (input.kind === 'sip' ? [send('a'), peer, send('b')] : []))
  host.give(sip)
  host.give(sip)
  await turn()
  const one = ['step sip', 'send a', 'peer 2', 'send b']
  expect(log).toEqual([...one, ...one, 'step time', 'flush'])
})

test('an input that an effect causes is handled after that step, not within it', async () => {
  const { host, log, refuse } = scene((input) => (input.kind === 'sip' ? [send('a'), send('b')] : []))
  refuse({ kind: 'unsent', send: send('a'), reason: 'late' })
  host.give(sip)
  await turn()
  expect(log).toEqual(['step sip', 'send a', 'send b', 'step unsent', 'step time', 'flush'])
})

test('what a persist effect holds back leaves when it is durable, in order, and then the replica hears of it', () => {
  const { host, log } = scene(() => [])
  const persist = (number: number): Persist => ({
    kind: 'persist',
    number,
    records: [],
    then: [send(`after ${number}`)],
  })
  host.durable([persist(1), persist(2)])
  expect(log).toEqual(['send after 1', 'send after 2', 'step persisted'])
  host.close()
})

test('after a stall the replica hears the time before anything else, and before anything leaves', () => {
  const { host, log, pass } = scene(() => [])
  host.give(sip)
  pass(50_001)
  host.give(sip)
  pass(50_001)
  host.durable([{ kind: 'persist', number: 1, records: [], then: [send('late')] }])
  expect(log).toEqual(['step sip', 'step time', 'step sip', 'step time', 'send late', 'step persisted'])
  host.close()
})

test('a due deadline is handled without a callback from outside, and a batch goes on in the next turn', async () => {
  let rounds = 0
  const { host, log } = scene(
    (input) => {
      if (input.kind === 'time') rounds++
      return []
    },
    () => (rounds < 3 ? instant(0) : null),
  )
  host.start()
  for (let i = 0; i < 5; i++) await turn()
  expect(rounds).toBe(3)
  expect(log.at(-1)).toBe('flush')
})

test('an assertion that fails ends the process, and no input or effect comes after it', async () => {
  const { host, log } = scene((input) => {
    if (input.kind === 'sip') throw new Error('broken')
    return [send('a')]
  })
  host.give(sip)
  host.give(sip)
  await turn()
  expect(log).toEqual(['step sip', 'bug Error: broken'])
})

test('a stop effect is the last thing that is carried out', async () => {
  const { host, log } = scene(() => [{ kind: 'stop', cause: 'fault', reason: 'replaced' }, send('a')])
  host.give(sip)
  host.give(sip)
  await turn()
  expect(log).toEqual(['step sip', 'stop replaced'])
})
