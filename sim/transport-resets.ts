// What was lost with a stream, which design.md 8 does not promise against: bytes under way when the connection ended, and
// messages that a replica had read and nobody had committed when it died. Each is a certificate; a call that fails because
// of one is counted as a transport reset, apart from all other losses.

import { entityValue } from '../src/call/entities.ts'
import type { Branch } from '../src/transaction/record.ts'
import type { Commit } from '../src/wire/entry.ts'
import { branchOf, callIdOf, cseqOf, listOf, parameterOf, readMessage, tagOf } from './phones/message.ts'
import type { Message, RequestMessage } from './phones/message.ts'
import { formatTime } from './trace.ts'

/** Nobody waits for a message longer than 64*T1. */
const mattersFor = 40_000_000

interface Read {
  readonly at: number
  readonly text: string
}

interface Loss {
  readonly method: string
  readonly isRequest: boolean
  readonly certificate: string
}

/** What the log has of an INVITE. */
interface Committed {
  final: boolean
  /** Those of its branches that have ended, by our Via's parameter; null = it doesn't fork. */
  ended: ReadonlySet<string> | null
  cancelled: boolean
}

export class TransportResets {
  readonly #now: () => number
  readonly #reads = new Map<string, Read[]>()
  /** By transaction: the requester's tag tells the directions apart. */
  readonly #losses = new Map<string, Loss[]>()
  /** By the upstream branch. */
  readonly #committed = new Map<string, Committed>()

  constructor(now: () => number) {
    this.#now = now
  }

  /** A life has read a whole message. */
  read(life: string, text: string): void {
    const reads = this.#reads.get(life) ?? []
    reads.push({ at: this.#now(), text })
    this.#reads.set(life, reads)
  }

  /** A commit was accepted in the log. */
  accepted(commit: Commit): void {
    for (const put of commit.puts) {
      const value = entityValue(put)
      if (value?.kind !== 'invite') continue
      const branch = value.key.slice(value.key.indexOf(' ') + 1)
      const known = this.#committed.get(branch) ?? { final: false, ended: null, cancelled: false }
      known.final ||= value.state !== 'proceeding'
      if (value.branches.length > 1) known.ended = new Set(value.branches.filter(hasEnded).map((one) => one.branch))
      // Format 1 has no room for its answer on a stream.
      known.cancelled ||= value.cancelled && (value.cancelAnswer !== null || value.upstream.transport === 'udp')
      this.#committed.set(branch, known)
    }
  }

  /** The process of that life is gone. */
  died(life: string): void {
    const now = this.#now()
    for (const { at, text } of this.#reads.get(life) ?? []) {
      if (now - at > mattersFor) continue
      const message = readMessage(text)
      if (typeof message !== 'string' && !this.#isSafe(message)) {
        this.#lose(message, `${life} had read it at ${formatTime(at).trim()} s, not committed it, and died`)
      }
    }
    this.#reads.delete(life)
  }

  /** Some of its bytes never arrived. */
  lost(text: string, why: string): void {
    const message = readMessage(text)
    if (typeof message !== 'string') this.#lose(message, why)
  }

  /** Why this request may have got no answer, or its answer no ACK; null = there is no excuse. */
  certificate(request: RequestMessage, missing: 'answer' | 'ack'): string | null {
    const { method } = request
    for (const loss of this.#losses.get(transactionOf(request)) ?? []) {
      const isOfInvite = ['INVITE', 'CANCEL', 'ACK'].includes(loss.method)
      if (missing === 'ack' && (loss.method === 'ACK' || (loss.method === 'INVITE' && !loss.isRequest)))
        return loss.certificate
      if (missing === 'answer' && (loss.method === method || (method === 'INVITE' && isOfInvite)))
        return loss.certificate
    }
    return null
  }

  /** Whether the log has what it says: then the next owner goes on from there. */
  #isSafe(message: Message): boolean {
    const { method } = cseqOf(message)
    if (message.kind === 'request') {
      const known = this.#committed.get(branchOf(message))
      if (method === 'INVITE') return known !== undefined
      return method === 'CANCEL' && known !== undefined && known.cancelled
    }
    if (method !== 'INVITE' || message.status < 200) return false
    const upstream = parameterOf(listOf(message, 'via')[1] ?? '', 'branch') ?? ''
    const known = this.#committed.get(upstream)
    if (known === undefined) return false
    return known.ended === null ? known.final : known.ended.has(branchOf(message))
  }

  #lose(message: Message, why: string): void {
    const key = transactionOf(message)
    const losses = this.#losses.get(key) ?? []
    const isRequest = message.kind === 'request'
    const what = isRequest ? message.method : `${message.status} to ${cseqOf(message).method}`
    const certificate = `${what} (CSeq ${cseqOf(message).number}) was lost at ${formatTime(this.#now()).trim()} s: ${why}`
    losses.push({ method: cseqOf(message).method, isRequest, certificate })
    this.#losses.set(key, losses)
  }
}

function hasEnded({ state }: Branch): boolean {
  return state === 'accepted' || state === 'completed' || state === 'terminated'
}

function transactionOf(message: Message): string {
  return `${callIdOf(message)} ${tagOf(message, 'from')} ${cseqOf(message).number}`
}
