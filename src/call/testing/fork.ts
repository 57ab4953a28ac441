// A ladder with a caller and several callees, its INVITE forked to all of them.

import type { Flow } from '../../wire/entry.ts'
import type { FormatNumber } from '../../wire/formats.ts'
import type { CallBounds } from '../contract.ts'
import { Ladder } from './ladder.ts'
import { phone, request, response } from './phone.ts'
import type { Phone } from './phone.ts'

export interface Fork {
  readonly ladder: Ladder
  readonly caller: Phone
  readonly callees: readonly Phone[]
  /** The INVITE as the caller sent it. */
  readonly sent: string
  /** The callee of that name sends it: a response to its INVITE. */
  readonly answer: (name: string, status: number, headers?: readonly (readonly [string, string])[]) => void
}

export interface ForkOptions {
  /** Which callees are on streams. */
  readonly streams?: readonly string[]
  readonly callerStream?: string
  readonly format?: FormatNumber
  readonly headers?: readonly (readonly [string, string])[]
  /** Further phones, which no INVITE goes to unless somebody names them: a 3xx that is followed. */
  readonly others?: readonly string[]
  readonly followsRedirects?: boolean
  readonly requestUri?: string
  readonly bounds?: CallBounds
}

/** `a,b|c`: a and b at once, then c. The INVITE is on its way; the lines so far are taken. */
export function forked(targets: string, options: ForkOptions = {}): Fork {
  const { streams = [], callerStream = '', headers = [], others = [], followsRedirects = false } = options
  const caller = phone('caller', '127.31.1.2', 5062, callerStream)
  const groups = targets.split('|').map((group) => group.split(','))
  const streamOf = (name: string): string => (streams.includes(name) ? `of ${name}` : '')
  const callees = [...groups.flat(), ...others].map((name, i) => phone(name, `127.31.1.${3 + i}`, 5064, streamOf(name)))
  const hop = (name: string): { host: string; port: number; transport: Flow['transport'] } => {
    const { flow } = named(callees, name)
    return { host: flow.host, port: flow.port, transport: flow.transport }
  }
  const nextHops = groups.map((group) => group.map(hop))
  const nextHop = nextHops[0]?.[0] ?? null
  const settings = {
    sip: { host: '127.31.1.1', port: 5060 },
    nextHop,
    nextHops,
    followsRedirects,
    bounds: options.bounds ?? {},
  }
  const ladder = new Ladder(settings, [caller, ...callees])
  ladder.format = options.format ?? ladder.format
  const sent = request(caller, 'INVITE', options.requestUri ?? 'sip:callee@127.31.1.1:5060', { headers })
  ladder.say(caller, sent)
  ladder.take()
  const answer: Fork['answer'] = (name, status, list = []) => {
    const callee = named(callees, name)
    ladder.say(callee, response(callee, ladder.last(callee, 'INVITE'), status, list))
  }
  return { ladder, caller, callees, sent, answer }
}

export function named(phones: readonly Phone[], name: string): Phone {
  const found = phones.find((one) => one.name === name)
  if (found === undefined) throw new Error(`no phone is named ${name}`)
  return found
}
