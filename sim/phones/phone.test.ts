import { describe, expect, it } from 'vitest'
import { mixText } from '../../src/base/hash.ts'
import { Agenda } from '../agenda.ts'
import { draw } from '../draws.ts'
import { flows, reliableFlows } from '../flows.ts'
import type { Flow } from '../ladder.ts'
import type { SocketAddress } from '../sip-network.ts'
import { nameOf } from '../sip-network.ts'
import {
  branchOf,
  header,
  listOf,
  printMessage,
  readMessage,
  sentByOf,
  topVia,
  uriIn,
  valueOf,
  addressIn,
} from './message.ts'
import type { Message, RequestMessage } from './message.ts'
import { Phone } from './phone.ts'
import type { PhoneNetwork, PhoneWatch } from './surroundings.ts'

const proxyAt: SocketAddress = { host: '127.0.0.10', port: 5060 }
const callerAt: SocketAddress = { host: '10.0.0.1', port: 5060 }
const calleeAt: SocketAddress = { host: '10.1.0.1', port: 5062 }

/** RFC 3261 16.11: a stateless proxy, enough for two phones to talk. */
function relay(message: Message): { readonly to: SocketAddress; readonly text: string } {
  const others = message.lines.filter(({ name }) => !['via', 'route', 'max-forwards'].includes(name))
  const vias = listOf(message, 'via')
  if (message.kind === 'response') {
    const [, ...rest] = vias
    const to = addressIn(`sip:${sentByOf(rest[0] ?? '')}`) ?? proxyAt
    return { to, text: printMessage({ ...message, lines: [...rest.map((via) => header('Via', via)), ...others] }) }
  }
  const branch = `z9hG4bK${mixText(0, branchOf(message)).low}`
  const routes = listOf(message, 'route').filter((route) => !route.includes(proxyAt.host))
  const lines = [
    header('Via', `SIP/2.0/UDP ${nameOf(proxyAt)};branch=${branch}`),
    ...vias.map((via) => header('Via', via)),
    ...(message.method === 'INVITE' ? [header('Record-Route', `<sip:${nameOf(proxyAt)};lr>`)] : []),
    ...routes.map((route) => header('Route', route)),
    header('Max-Forwards', String(Number(valueOf(message, 'max-forwards')) - 1)),
    ...others,
  ]
  return { to: addressIn(message.uri) ?? proxyAt, text: printMessage({ ...message, lines }) }
}

interface Outcome {
  readonly caller: Phone
  readonly callee: Phone
  readonly problems: readonly string[]
  readonly delivered: number
}

function play(flow: Flow, seed: number, lossPerMillion: number): Outcome {
  const agenda = new Agenda()
  const fate = draw(seed, 'test network')
  const problems: string[] = []
  const receivers = new Map<string, (text: string, from: SocketAddress) => void>()
  let count = 0
  const transmit = (from: SocketAddress, to: SocketAddress, text: string): void => {
    if (fate.chance(lossPerMillion, 1, ++count)) return
    agenda.after(fate.within(100, 60_000, 2, count), () => {
      if (nameOf(to) !== nameOf(proxyAt)) return receivers.get(nameOf(to))?.(text, from)
      const message = readMessage(text)
      if (typeof message === 'string') return problems.push(message)
      const next = relay(message)
      return transmit(proxyAt, next.to, next.text)
    })
  }
  const watch: PhoneWatch = {
    sent: () => undefined,
    received: () => undefined,
    rangAgain: (phone) => problems.push(`${phone} rang again`),
    malformed: (phone, _text, problem) => problems.push(`${phone}: ${problem}`),
    timedOut: (phone, request: RequestMessage) => problems.push(`${phone}: ${request.method} timed out`),
    unacknowledged: (phone, request) => problems.push(`${phone}: no ACK for ${topVia(request)}`),
  }
  const requestUri = `sip:callee@${nameOf(calleeAt)}`
  const transport = 'udp' as const
  const common = {
    seed,
    call: 1,
    callId: 'one@sim',
    flow,
    isBrisk: false,
    proxy: proxyAt,
    requestUri,
    transport,
    oddity: null,
  }
  const connect = (): never => {
    throw new Error('these phones speak UDP')
  }
  const network: PhoneNetwork = { datagram: transmit, connect }
  const caller = new Phone(agenda, { ...common, side: 'caller', ordinal: 1, address: callerAt }, network, watch)
  const callee = new Phone(agenda, { ...common, side: 'callee', ordinal: 1, address: calleeAt }, network, watch)
  receivers.set(nameOf(callerAt), (text, from) => caller.receive(text, { from, at: callerAt, end: null }))
  receivers.set(nameOf(calleeAt), (text, from) => callee.receive(text, { from, at: calleeAt, end: null }))
  caller.start()
  agenda.runUntil(200_000_000, () => false)
  return { caller, callee, problems, delivered: count }
}

describe('two phones by way of a stateless proxy', () => {
  // Without a set nobody's timer C ends what rings.
  const ownEnd = [...flows, ...reliableFlows].filter(
    ({ name, calleePresent }) => calleePresent && name !== 'rings-for-ever',
  )
  for (const flow of ownEnd) {
    it(`play "${flow.name}" to its end, with and without loss`, () => {
      for (let seed = 1; seed <= 20; seed++) {
        const { caller, callee, problems } = play(flow, seed, seed % 2 === 0 ? 0 : 150_000)
        expect(problems, `seed ${seed}`).toEqual([])
        expect([caller.settled, callee.settled], `seed ${seed}`).toEqual([true, true])
        expect(caller.firstFinal, `seed ${seed}`).toBe(callee.firstFinal)
      }
    })
  }

  it('notice that nobody answers (RFC 3261 17.1.1.2, timer B)', () => {
    const flow = flows.find(({ name }) => name === 'basic') as Flow
    const { problems, caller } = play(flow, 1, 1_000_000)
    expect(problems).toEqual([`${caller}: INVITE timed out`])
  })
})

describe('readMessage', () => {
  const good = `OPTIONS sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bKx\r\nf: <sip:a@b>;tag=1\r\nt: <sip:c@d>\r\ni: x\r\nCSeq: 1 OPTIONS\r\nl: 2\r\n\r\nhi`

  it('reads compact names, and prints the very bytes again', () => {
    const message = readMessage(good) as Message
    expect(valueOf(message, 'via')).toBe('SIP/2.0/UDP h;branch=z9hG4bKx')
    expect(printMessage(message)).toBe(good)
    expect(uriIn(valueOf(message, 'from') ?? '')).toBe('sip:a@b')
  })

  it.each([
    ['a body of another length', good.replace('l: 2', 'l: 3')],
    ['two Call-IDs', good.replace('i: x', 'i: x\r\nCall-ID: y')],
    ['a CSeq of another method', good.replace('1 OPTIONS', '1 INVITE')],
    ['no Via', good.replace(/v: .*\r\n/, '')],
    ['no end of the headers', good.replace('\r\n\r\n', '\r\n')],
    ['another version', good.replace('SIP/2.0\r', 'SIP/3.0\r')],
  ])('refuses %s', (_what, text) => {
    expect(typeof readMessage(text)).toBe('string')
  })
})
