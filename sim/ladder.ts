// The notation of call flows: a ladder, as RFC 3665 draws them, of what the two people do. What RFC 3261 makes their phones
// do by themselves (100, ACK, the 200 to a BYE, CANCEL, INFO and the like, the 487, all retransmissions) is not written.
//
//   |--INVITE-->|              the caller sends it, once it has seen the line before
//   |<--180-----| 0.1..2s      the callee, after a wait drawn from that range
//   |--BYE-->X<--BYE--|        both at once, each after its own wait
//   |<--DIES----|              the callee's phone loses its power; nobody sees that (FORGETS: it begins anew)

import type { ApplicationName } from './applications.ts'
import type { PlannedLifetime } from './lifetime.ts'

export type Transport = 'udp' | 'tcp'

/** What phones on real sockets speak (test/moments). */
export type Speaks = Transport | 'tls' | 'ws' | 'wss'

export type Side = 'caller' | 'callee'

/** Requests inside a dialog that neither begin nor end anything; the far phone answers them by itself. */
export const talk = ['INFO', 'MESSAGE', 'OPTIONS', 'UPDATE', 'REFER', 'SUBSCRIBE', 'NOTIFY'] as const

type Method = 'INVITE' | 'CANCEL' | 'BYE' | (typeof talk)[number]

const methods: readonly Method[] = ['INVITE', 'CANCEL', 'BYE', ...talk]

/** How a phone leaves a call without a word: it has no power, or it has begun anew and answers 481. */
const leavings = ['DIES', 'FORGETS'] as const

/** What a person does: a request, or a status that answers the other's open INVITE; or what befalls the phone. */
export type Deed =
  | { readonly kind: 'request'; readonly method: Method }
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'leave'; readonly how: (typeof leavings)[number] }

export interface Step {
  readonly by: Side
  readonly deed: Deed
  /** Microseconds after the line before was seen. */
  readonly waitLeast: number
  readonly waitMost: number
  /** Done whatever the other does meanwhile; the other's line isn't waited for. */
  readonly crossing: boolean
}

export interface Flow {
  readonly name: string
  readonly steps: readonly Step[]
  /** False: nobody is at the called address; the set's own 408 is the right end. */
  readonly calleePresent: boolean
  /** What its phones speak where the plan doesn't say. */
  readonly transport: Transport
  /** The caller's phone is slow: microseconds from the first 2xx it gets to its ACK. */
  readonly ackAfter: number
  /** Each UPDATE of the caller names another Contact. */
  readonly isMoving: boolean
  /** Its INVITEs are too long for a datagram between proxies (RFC 3261 18.1.1). */
  readonly isLong: boolean
  /** False: the callee, which speaks UDP, refuses connections. */
  readonly takesStreams: boolean
  /** Its 1xx are reliable (RFC 3262); the phones send the PRACK and its 200 by themselves. */
  readonly isReliable: boolean
  /** False: too long for the seeds, which draw among the others; crash points have it. */
  readonly isDrawn: boolean
  /** What the set is told of when calls end; null = nothing. */
  readonly lifetime: PlannedLifetime | null
  /** Whose calls they are; null = nobody's, the set is a plain proxy. */
  readonly application: ApplicationName | null
  /** Its 2xx say that the session expires after so many seconds (RFC 4028); 0 = they don't. */
  readonly sessionExpires: number
  /** Its INVITE forks so (forks.ts), and the steps of the second callee and the further ones; null = nobody is there. */
  readonly fork: { readonly forks: string; readonly others: readonly (readonly Step[] | null)[] } | null
}

interface FlowOptions {
  readonly forks?: string
  readonly others?: readonly (string | null)[]
  readonly calleePresent?: boolean
  readonly ackAfter?: number
  readonly transport?: Transport
  readonly isMoving?: boolean
  readonly isLong?: boolean
  readonly takesStreams?: boolean
  readonly isReliable?: boolean
  readonly isDrawn?: boolean
  readonly lifetime?: PlannedLifetime
  readonly application?: ApplicationName
  readonly sessionExpires?: number
}

/** Reads a ladder. The flows are ours, so a mistake in one is a bug and throws. */
export function ladder(name: string, text: string, options: FlowOptions = {}): Flow {
  const steps = readSteps(text)
  const { calleePresent = true, ackAfter = 0, isDrawn = true, transport = 'udp' } = options
  const { isMoving = false, isLong = false, takesStreams = true, isReliable = false, forks, others = [] } = options
  const { lifetime = null, application = null, sessionExpires = 0 } = options
  const fork =
    forks === undefined ? null : { forks, others: others.map((one) => (one === null ? null : readSteps(one))) }
  const phones = { transport, ackAfter, isMoving, isLong, takesStreams, isReliable, sessionExpires }
  return { name, steps, calleePresent, isDrawn, ...phones, lifetime, application, fork }
}

function readSteps(text: string): readonly Step[] {
  const steps: Step[] = []
  for (const line of text.split('\n')) {
    const trimmed = line.trim()
    if (trimmed === '' || trimmed.startsWith('caller')) continue
    steps.push(...readLine(trimmed))
  }
  return steps
}

function readLine(line: string): readonly Step[] {
  const close = line.lastIndexOf('|')
  const inside = line.slice(1, close)
  const [waitLeast, waitMost] = readWait(line.slice(close + 1).trim())
  const cross = inside.indexOf('X<')
  const step = (arrow: string, crossing: boolean): Step => ({
    by: arrow.startsWith('<') ? 'callee' : 'caller',
    deed: readDeed(arrow.replaceAll(/[-<> ]/g, '')),
    waitLeast,
    waitMost,
    crossing,
  })
  if (cross < 0) return [step(inside, false)]
  return [step(inside.slice(0, cross), true), step(inside.slice(cross + 1), true)]
}

function readDeed(word: string): Deed {
  const method = methods.find((one) => one === word)
  if (method !== undefined) return { kind: 'request', method }
  const how = leavings.find((one) => one === word)
  if (how !== undefined) return { kind: 'leave', how }
  const status = Number(word)
  if (!Number.isInteger(status) || status < 101 || status > 699) throw new Error(`ladder: what is "${word}"?`)
  return { kind: 'answer', status }
}

/** `0.1..2s`, `3s` or nothing. */
function readWait(text: string): readonly [number, number] {
  if (text === '') return [0, 0]
  const parts = text.replace(/s$/, '').split('..').map(Number)
  const least = Math.round((parts[0] ?? Number.NaN) * 1_000_000)
  const most = Math.round((parts[1] ?? parts[0] ?? Number.NaN) * 1_000_000)
  if (!(least >= 0 && most >= least)) throw new Error(`ladder: what is "${text}"?`)
  return [least, most]
}
