// C8: a replica without a quorum decides nothing. From 2 s after it was cut off nothing of SIP leaves it but what is relayed without
// state and ends nobody's waiting (design.md 7; src/call/detached.ts), and the refusal of an INVITE that waited on its stream in vain.

import { replicaOf } from '../../src/base/brand.ts'
import type { ReplicaId } from '../../src/base/brand.ts'
import type { Effect, Send } from '../../src/replica/effect.ts'
import type { Machine } from '../machine.ts'
import type { Marks } from '../marks/coverage.ts'
import { cseqOf, readMessage, tagOf, valueOf } from '../phones/message.ts'
import type { Message } from '../phones/message.ts'
import { summary } from '../sip-network.ts'
import type { Askers } from './askers.ts'
import type { Checker, Report } from './checker.ts'

/** design.md 7 says 1 s without a leader; the leader's last word may have been long under way. */
const silentAfter = 2_000_000

export class Detached implements Checker {
  readonly #report: Report
  readonly #now: () => number
  /** Since when a replica reaches no quorum; null = it does. */
  readonly #cutSince: (replica: ReplicaId) => number | null
  readonly #askers: Askers
  readonly #marks: Marks

  constructor(
    report: Report,
    now: () => number,
    askers: Askers,
    marks: Marks,
    cutSince: (replica: ReplicaId) => number | null,
  ) {
    this.#askers = askers
    this.#report = report
    this.#now = now
    this.#marks = marks
    this.#cutSince = cutSince
  }

  leaving(machine: Machine, effect: Effect): void {
    if (effect.kind !== 'send') return
    // A stream of a replica that is not heard can still serve an owner that is.
    const decider = replicaOf(this.#askers.of(machine, effect))
    const since = this.#cutSince(decider)
    if (since === null || this.#now() - since < silentAfter) return
    const message = readMessage(effect.data)
    if (effect.origin === null && typeof message !== 'string' && decidesNothing(message, effect)) {
      this.#marks.reached('relayed-detached', message.kind === 'request')
      this.#marks.reached('answer-relayed-detached', message.kind === 'response')
      return
    }
    this.#report(
      'C8',
      `replica ${decider} has no quorum for ${Math.round((this.#now() - since) / 1_000)} ms and sends ${summary(effect.data)}`,
    )
  }
}

/** Whether it is of those that the table in src/call/detached.ts lets pass. */
function decidesNothing(message: Message, { flow }: Send): boolean {
  if (message.kind === 'request') {
    return message.method !== 'INVITE' && message.method !== 'CANCEL' && tagOf(message, 'to') !== null
  }
  const { status } = message
  const { method } = cseqOf(message)
  if (method === 'CANCEL') return false
  if (status < 200) return status > 100
  if (method === 'UPDATE') return status >= 300
  if (method !== 'INVITE') return method !== 'BYE'
  return status === 503 && flow.stream !== '' && valueOf(message, 'retry-after') !== null
}
