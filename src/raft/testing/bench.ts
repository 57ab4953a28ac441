// One replica for a test, with a disk that does what it is told, and its time. The invariants are checked after every call.

import { assert } from '../../base/assert.ts'
import { index, replicaId, term } from '../../base/brand.ts'
import { latin1Bytes } from '../../base/bytes.ts'
import type { Instant } from '../../base/instant.ts'
import { instant, micros, millis, plus } from '../../base/instant.ts'
import type { RaftConfig } from '../config.ts'
import { checkState, checkStep, observe } from '../invariants.ts'
import type { AppendRequest, RaftEntry, RaftMessage } from '../message.ts'
import { formatMessage } from '../print.ts'
import { Raft } from '../raft.ts'
import type { Ready } from '../ready.ts'

export const timeout = millis(500)

function configOf(size: number, overrides: Partial<RaftConfig> = {}): RaftConfig {
  return {
    id: replicaId(1),
    voters: Array.from({ length: size }, (_, at) => replicaId(at + 1)),
    random: { below: () => 0 },
    electionTimeout: timeout,
    electionSpread: timeout,
    heartbeat: millis(100),
    prompt: millis(30),
    maxAppendEntries: 64,
    maxAppendBytes: 10_000,
    maxInflight: 8,
    maxUncommittedBytes: 10_000,
    ...overrides,
  }
}

interface Start {
  readonly size?: number
  readonly term?: number
  readonly vote?: number
  readonly log?: readonly number[]
  readonly overrides?: Partial<RaftConfig>
}

/** Replica 1 of a set. */
export class Bench {
  readonly raft: Raft
  now: Instant = instant(1_000_000)
  #number = 0

  constructor(start: Start = {}) {
    const state = {
      term: term(start.term ?? 0),
      vote: start.vote === undefined ? null : replicaId(start.vote),
      commit: index(0),
    }
    const entries = (start.log ?? []).map((of, at) => entryOf(at + 1, of))
    this.raft = new Raft(configOf(start.size ?? 3, start.overrides), { state, entries }, this.now)
  }

  /** Does something, and checks the invariants. */
  do<T>(act: (raft: Raft) => T): T {
    const before = observe(this.raft)
    const result = act(this.raft)
    const broken = checkState(this.raft) ?? checkStep(before, observe(this.raft))
    assert(broken === null, broken ?? '')
    return result
  }

  pass(us: number): this {
    this.now = plus(this.now, micros(us))
    this.do((raft) => raft.tick(this.now))
    return this
  }

  hear(from: number, message: Record<string, unknown>): this {
    const whole = { from: replicaId(from), to: replicaId(1), ...message } as unknown as RaftMessage
    this.do((raft) => raft.step(whole, this.now))
    return this
  }

  take(): readonly Ready[] {
    const readys: Ready[] = []
    for (;;) {
      const ready = this.do((raft) => raft.takeReady(this.now))
      if (ready === null) return readys
      this.#number = ready.number
      readys.push(ready)
    }
  }

  sync(): this {
    this.do((raft) => raft.persisted(this.#number))
    return this
  }

  /** Takes and syncs until nothing is left; all messages, as lines. */
  settle(): readonly string[] {
    const lines: string[] = []
    for (let readys = this.take(); readys.length > 0; readys = this.take()) {
      lines.push(...readys.flatMap((ready) => [...ready.messages, ...ready.afterPersist]).map(formatMessage))
      this.sync()
    }
    return lines
  }

  /** Wins an election with the votes of `voters`. */
  win(...voters: readonly number[]): this {
    const asked = this.raft.term + 1
    this.pass(timeout).settle()
    for (const from of voters) this.hear(from, { kind: 'pre-vote-response', term: asked, granted: true })
    this.settle()
    for (const from of voters) this.hear(from, { kind: 'vote-response', term: asked, granted: true })
    assert(this.raft.isLeader, 'the votes of a quorum make a leader')
    return this
  }

  acknowledge(from: number, at: number): this {
    return this.hear(from, {
      kind: 'append-response',
      term: this.raft.term,
      index: at,
      rejected: false,
      hintIndex: 0,
      hintTerm: 0,
    })
  }

  propose(text: string): boolean {
    return this.do((raft) => raft.propose(latin1Bytes(text), this.now)).ok
  }

  get role(): string {
    return this.raft.status().role
  }
}

export function entryOf(at: number, of: number): RaftEntry {
  return { index: index(at), term: term(of), kind: 'normal', data: latin1Bytes(`${at}of${of}`) }
}

export function appendOf(
  of: number,
  prev: readonly [number, number],
  terms: readonly number[] = [],
  commit = 0,
): Partial<AppendRequest> {
  const entries = terms.map((each, at) => entryOf(prev[0] + 1 + at, each))
  return {
    kind: 'append',
    term: term(of),
    prevIndex: index(prev[0]),
    prevTerm: term(prev[1]),
    entries,
    commit: index(commit),
  }
}

export const vote = (of: number, lastIndex: number, lastTerm: number): Record<string, unknown> => ({
  kind: 'vote',
  term: of,
  lastIndex,
  lastTerm,
})
export const preVote = (of: number, lastIndex: number, lastTerm: number): Record<string, unknown> => ({
  ...vote(of, lastIndex, lastTerm),
  kind: 'pre-vote',
})
export const heartbeat = (of: number, context = 1): Record<string, unknown> => ({
  kind: 'heartbeat',
  term: of,
  commit: 0,
  context,
})
