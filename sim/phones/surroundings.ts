// What a phone is given: who watches it, who it is, and a way to send.

import type { Plan } from '../plan.ts'
import type { Flow, Side, Speaks } from '../ladder.ts'
import type { Oddity } from '../phone-faults.ts'
import type { SocketAddress } from '../sip-network.ts'
import type { PhoneEnd, PhoneReceiver } from '../stream-network.ts'
import type { Line } from './line.ts'
import type { HeaderLine, Message, RequestMessage } from './message.ts'
import type { Phone } from './phone.ts'

export interface PhoneWatch {
  sent(phone: Phone, message: Message): void
  received(phone: Phone, message: Message, text: string): void
  /** An INVITE that starts a call, although this phone had one of that call before and has forgotten it. */
  rangAgain(phone: Phone, invite: RequestMessage): void
  malformed(phone: Phone, text: string, problem: string): void
  /** No final answer within 64*T1 (17.1.1.2, 17.1.2.2), or none to an INVITE 64*T1 after its CANCEL (9.1). */
  timedOut(phone: Phone, request: RequestMessage): void
  /** No ACK within 64*T1 (13.3.1.4, 17.2.1). */
  unacknowledged(phone: Phone, request: RequestMessage, status: number): void
}

export interface PhoneOptions {
  readonly seed: number
  readonly redrawn?: Plan['redrawn'] | undefined
  readonly side: Side
  /** Which of the call's callees it is, from 1. */
  readonly ordinal: number
  readonly call: number
  readonly callId: string
  /** The user of its address, and of its From; absent = one made of its side and the call's number. */
  readonly user?: string
  /** A callee of an application's leg: its Call-ID is that of the INVITE it gets. */
  readonly takesCallId?: boolean
  readonly flow: Flow
  /** Its person waits as little as the ladder allows. */
  readonly isBrisk: boolean
  readonly address: SocketAddress
  /** What it speaks. */
  readonly transport: Speaks
  /** What is wrong with it. */
  readonly oddity: Oddity | null
  /** Where a caller's INVITE goes, and its Request-URI. */
  readonly proxy: SocketAddress
  readonly requestUri: string
  /** Holds back what its person is about to do, and its ACK of a 2xx, until it says go: how real processes are killed at that very
   * moment (test/moments). Absent: nothing is held back. */
  readonly gate?: Gate | undefined
  /** The Contacts of its 3xx; absent: none. */
  readonly contacts?: readonly string[]
  /** Headers that its first INVITE has besides, as of then. */
  readonly more?: () => readonly HeaderLine[]
  /** The name that stands in its Contact instead of its address; absent: none. */
  readonly name?: string
  /** The registered phone that this call is one of; absent: it is a phone of its own. */
  readonly line?: Line
  /** The Routes of its first INVITE, which are known when that leaves; absent: none. */
  readonly routes?: () => readonly string[]
}

/** `deed` is the word of the ladder, or ACK; `nth` counts that word at this phone, from 1. */
export type Gate = (phone: Phone, deed: string, nth: number, go: () => void) => void

export interface PhoneNetwork {
  datagram(from: SocketAddress, to: SocketAddress, text: string): void
  /** A connection to the set, which may be written to at once. */
  connect(from: SocketAddress, receiver: PhoneReceiver): PhoneEnd
}
