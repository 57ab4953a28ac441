// What a checker is: one promise of proof.md in one file. It sees what happens and says what may not have. It draws nothing
// and changes nothing.

import type { SnapshotMetadata } from '../../src/raft/message.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Machine } from '../machine.ts'
import type { Work } from '../machine-watch.ts'
import type { Message, RequestMessage } from '../phones/message.ts'
import type { Phone } from '../phones/phone.ts'

/** A broken promise. */
export interface Finding {
  /** C1..C10, L1..L12 (proof.md), or `sip`, `stability`, `formats`, `assertion`, `bounded`. */
  readonly promise: string
  readonly at: number
  readonly text: string
  /** The call it is about, if it is about one. */
  readonly call: number | null
}

export type Report = (promise: string, text: string, phone?: Phone) => void

/** Every hook is optional: a checker has those that its promise needs. */
export interface Checker {
  sent?(phone: Phone, message: Message): void
  received?(phone: Phone, message: Message, text: string): void
  rangAgain?(phone: Phone, invite: RequestMessage): void
  timedOut?(phone: Phone, request: RequestMessage): void
  unacknowledged?(phone: Phone, request: RequestMessage, status: number): void
  started?(machine: Machine): void
  died?(machine: Machine): void
  stepped?(machine: Machine, input: Input, effects: readonly Effect[]): void
  leaving?(machine: Machine, effect: Effect, work: Work): void
  /** A snapshot is durable, and so many of the disk's oldest records are of no use any more. */
  snapshotStands?(machine: Machine, metadata: SnapshotMetadata, dropped: number): void
  /** Its release can't take part any more. */
  tooOld?(machine: Machine): void
  /** A frame is about to leave for a peer: what its bytes say. */
  frameLeaving?(machine: Machine, frame: Frame, to: number, work: Work): void
  /** No call is up, nothing is under way in any: looked at every now and then, while more may come. */
  atRest?(): void
  /** All calls are over, nothing is under way, all is forgotten that should be. */
  quiet?(machines: readonly Machine[], phones: readonly Phone[]): void
}
