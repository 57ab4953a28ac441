// The planted bugs. `holdfast sim --mutants` must find every one; a test checks that every patch still applies.

import type { Mutant } from './mutant.ts'

export const mutants: readonly Mutant[] = [
  {
    name: 'vote-not-persisted',
    room: 'raft',
    file: 'src/raft/core.ts',
    find: 'vote: core.vote,',
    replace: 'vote: null,',
    story: 'a vote is kept in memory only: a restarted replica votes twice in one term',
    promise: 'L2',
  },
  {
    name: 'ack-before-sync',
    room: 'raft',
    file: 'src/raft/follower.ts',
    find: "sendAfterPersist(core, { kind: 'append-response'",
    replace: "send(core, { kind: 'append-response'",
    story: 'entries are acknowledged before they are durable',
    promise: 'L2',
  },
  {
    name: 'truncating-an-agreeing-tail',
    room: 'raft',
    file: 'src/raft/follower.ts',
    find: 'const missing = log.firstMissing(entries)',
    replace: 'const missing = entries.find((entry) => entry.index > log.commit) ?? null',
    story: 'a delayed append cuts off what came after it, although it agrees',
    promise: 'L5',
  },
  {
    name: 'since-not-checked',
    room: 'store',
    file: 'src/store/store.ts',
    find: `    if (this.#ownership.sinceOf(proposer) !== since) return 'not-owner'
    if (!this.#ownership.ownedSince(proposer, judged, group)) return 'not-owner'
`,
    replace: '',
    story: 'a commit of a replica that lost its groups meanwhile is accepted',
    promise: 'C8',
  },
  {
    name: 'answer-before-its-commit',
    room: 'call',
    file: 'src/call/invite-response.ts',
    find: "relaySuccess(turn, response, found, 'after')",
    replace: "relaySuccess(turn, response, found, 'at-once')",
    story: 'a 2xx is relayed before it is committed',
    promise: 'L12',
  },
  {
    name: 'random-branch',
    room: 'proxy',
    file: 'src/proxy/branch.ts',
    find: '${place.ordinal} ${place.attempt}`',
    replace: '${place.ordinal} ${place.attempt} ${((keys as any).made = ((keys as any).made ?? 0) + 1)}`',
    story: 'each replica makes branches of its own: what is relayed again has another one',
    promise: 'C3',
  },
  {
    name: 'passed-on-and-forgotten',
    room: 'replica',
    file: 'src/replica/passing.ts',
    find: `this.#ports.outbox.count('sip_passed_on')
    this.#keeper.give(kept, owner)`,
    replace: `this.#ports.outbox.count('sip_passed_on')
    this.#keeper.handled(kept.number)`,
    story: 'an input is forgotten once it is passed on: it dies with its owner',
    promise: 'C2',
  },
  {
    name: 'older-term-committed-by-counting',
    room: 'raft',
    file: 'src/raft/leader.ts',
    find: 'if (to <= log.commit || log.termAt(to) !== core.term) return',
    replace: 'if (to <= log.commit) return',
    story: 'a new leader commits entries of an earlier term by counting replicas (Raft paper, figure 8)',
    promise: 'L5',
  },
  {
    name: 'shorter-log-wins',
    room: 'raft',
    file: 'src/raft/log.ts',
    find: 'return lastTerm > this.lastTerm || (lastTerm === this.lastTerm && lastIndex >= this.last)',
    replace: 'return lastTerm >= this.lastTerm',
    story: 'a vote goes to a candidate whose log is shorter: what was committed is lost',
    promise: 'L3',
  },
  {
    name: 'trying-before-the-commit',
    room: 'call',
    file: 'src/call/invite.ts',
    find: 'turn.sendAfter(upstream, answerText(request, turn.ctx.keys, 100)',
    replace: 'turn.send(upstream, answerText(request, turn.ctx.keys, 100)',
    story: '100 leaves before the INVITE is committed: the caller stops repeating what nobody keeps',
    promise: 'L12',
  },
]
