// A dialog (RFC 3261 12) of which one end is ours: an application answers a call, or places one. It is there from the first request on,
// before there is any dialog, since it counts our CSeq numbers; there is one for each SipSession of an application that is an end itself.
//
//   initial --1xx with a To tag--> early --2xx--> confirmed --BYE, of whichever end--> ended
//      ^  |                          |   |                                              ^
//      |  '--------2xx---------------|---+----------------------------------------------|
//      '-- our INVITE failed --------+-- the other end's INVITE failed, or it was the branch of a fork that lost

import { TRANSPORTS } from '../sip/transport.ts'
import type { Transport } from '../sip/transport.ts'
import { asText, codeOf, nameOf, readFields } from './fields.ts'

export type LegState = 'initial' | 'early' | 'confirmed' | 'ended'
/** Who sent the request that began it: the other end (`uas`), or we. */
export type LegRole = 'uas' | 'uac'

const STATES: readonly LegState[] = ['initial', 'early', 'confirmed', 'ended']
const ROLES: readonly LegRole[] = ['uas', 'uac']

export interface LocalEnd {
  /** As From or To have it, without its tag. */
  readonly party: string
  readonly tag: string
  /** The highest CSeq number of our requests; 0 = none yet. */
  readonly cseq: number
}

export interface RemoteEnd {
  readonly party: string
  /** Empty = not known yet. */
  readonly tag: string
  /** The highest CSeq number of its requests; 0 = none yet. */
  readonly cseq: number
  /** 12.1: its last Contact. Before there is a dialog: the Request-URI of ours. */
  readonly target: string
  /** The transport on its side of us, for a target that names none. */
  readonly transport: Transport
  /** The connection that it is reached by, where it can't be called back (call/bound.ts); empty = by its target. */
  readonly stream: string
}

/** Where it went: as wire/entry.ts has it, which is a floor above. */
interface Hop {
  readonly transport: Transport
  readonly host: string
  readonly port: number
  readonly stream: string
}

/** An ACK of ours for a 2xx: a repeated 2xx gets the same bytes (13.2.2.4). */
export interface SentAck {
  readonly cseq: number
  readonly text: string
  readonly hop: Hop
}

export interface Leg {
  readonly kind: 'leg'
  readonly role: LegRole
  readonly state: LegState
  /** Id of its SipSession. */
  readonly session: string
  readonly callId: string
  readonly local: LocalEnd
  readonly remote: RemoteEnd
  /** The route set (12.1.1, 12.1.2). */
  readonly routes: readonly string[]
  /** CSeq number of our INVITE whose 2xx waits for its ACK; 0 = none does. */
  readonly unacked: number
  readonly ack: SentAck | null
}

/** Its id in tree Dialog, where the ids of relayed dialogs are plain numbers. */
export function legId(session: string): string {
  return `${session}.leg`
}

/** Whether a request with these tags is the other end's in this dialog. */
export function isOfLeg(leg: Leg, callId: string, fromTag: string, toTag: string): boolean {
  return leg.state !== 'initial' && leg.callId === callId && leg.remote.tag === fromTag && leg.local.tag === toTag
}

export function hasDialog(leg: Leg): boolean {
  return leg.state === 'early' || leg.state === 'confirmed'
}

/** Of format 2. The numbers before are those of relayed dialogs, in the same tree. */
export const LEG_SHAPE = 3

export function legFields(leg: Leg): readonly unknown[] {
  const { role, state, session, callId, local, remote, routes, unacked, ack } = leg
  return [
    LEG_SHAPE,
    codeOf(ROLES, role),
    codeOf(STATES, state),
    session,
    callId,
    [1, local.party, local.tag, local.cseq],
    [1, remote.party, remote.tag, remote.cseq, remote.target, codeOf(TRANSPORTS, remote.transport), remote.stream],
    routes,
    unacked,
    ack === null
      ? []
      : [1, ack.cseq, ack.text, codeOf(TRANSPORTS, ack.hop.transport), ack.hop.host, ack.hop.port, ack.hop.stream],
  ]
}

export function readLeg(value: unknown): Leg {
  const fields = readFields(value, LEG_SHAPE)
  return {
    kind: 'leg',
    role: nameOf(ROLES, fields.number()),
    state: nameOf(STATES, fields.number()),
    session: fields.text(),
    callId: fields.text(),
    local: readLocal(fields.list()),
    remote: readRemote(fields.list()),
    routes: fields.list().map(asText),
    unacked: fields.number(),
    ack: readAck(fields.list()),
  }
}

function readLocal(value: readonly unknown[]): LocalEnd {
  const fields = readFields(value, 1)
  return { party: fields.text(), tag: fields.text(), cseq: fields.number() }
}

function readRemote(value: readonly unknown[]): RemoteEnd {
  const fields = readFields(value, 1)
  return {
    party: fields.text(),
    tag: fields.text(),
    cseq: fields.number(),
    target: fields.text(),
    transport: nameOf(TRANSPORTS, fields.number()),
    stream: fields.text(),
  }
}

function readAck(value: readonly unknown[]): SentAck | null {
  if (value.length === 0) return null
  const fields = readFields(value, 1)
  const [cseq, text, transport] = [fields.number(), fields.text(), nameOf(TRANSPORTS, fields.number())]
  return { cseq, text, hop: { transport, host: fields.text(), port: fields.number(), stream: fields.text() } }
}
