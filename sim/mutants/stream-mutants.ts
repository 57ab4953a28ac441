// Bugs that only streams show: on UDP somebody's repetition hides them.

import type { Mutant } from './mutant.ts'

export const streamMutants: readonly Mutant[] = [
  {
    name: 'lent-and-forgotten',
    room: 'replica',
    file: 'src/replica/egress.ts',
    find: 'if (group === null) return true',
    replace: 'return true',
    story:
      'a response given to the holder of its stream is not kept: a broken link loses it, and nobody repeats on a stream',
    promise: 'C2',
  },
  {
    name: 'holder-speaks-for-the-succeeded',
    room: 'replica',
    file: 'src/replica/egress.ts',
    find: 'if (this.#ports.stale()) return',
    replace: '',
    also: [{ find: 'store.ownerOf(known.group) !== asker', replace: 'false' }],
    story: 'a holder of a stream that wakes sends what a former owner asked of it long ago',
    promise: 'C8',
  },
  {
    name: 'answer-not-stored-for-a-stream',
    room: 'call',
    file: 'src/call/invite-response.ts',
    find: "const isRepeated = value.upstream.transport === 'udp' && branch.hop.transport === 'udp'",
    replace: 'const isRepeated = true',
    story: 'a 2xx is not kept for a side on a stream, where not every callee repeats it: it dies with its owner',
    promise: 'C1',
    schedule: 'answers-on-streams',
  },
  {
    name: 'invite-not-repeated-on-a-stream',
    room: 'call',
    file: 'src/call/takeover.ts',
    find: "if (branch.hop.transport !== 'udp') {",
    replace: "if (branch.hop.transport === ('sctp' as string)) {",
    story: 'an INVITE that its owner committed and did not send on a stream is never sent',
    promise: 'C2',
  },
  {
    name: 'lost-stream-lost-response',
    room: 'call',
    file: 'src/call/unsent.ts',
    find: 'if (!isRequest) onLostResponse(turn, unsent)',
    replace: 'if (!isRequest) return',
    story: 'a response whose connection is gone is dropped, instead of going on a new one (RFC 3261 18.2.2)',
    promise: 'C2',
  },
  {
    name: 'final-not-repeated-on-a-stream',
    room: 'call',
    file: 'src/call/takeover.ts',
    find: "if (state !== 'proceeding' && final !== null) turn.send",
    replace: "if (state !== 'proceeding' && final !== null && upstream.transport === 'udp') turn.send",
    story: 'a committed failure is not repeated at a takeover towards a caller on a stream',
    promise: 'C2',
  },
  {
    name: 'handled-before-its-answer-left',
    room: 'replica',
    file: 'src/replica/owner.ts',
    find: 'held.answered.push(...open.handled)',
    replace: 'for (const ref of open.handled) this.#handledRef(held, ref)',
    story:
      'an input is forgotten when its commit is applied; a serving entry in the same append takes its answer with it',
    promise: 'C2',
    schedule: 'election-after-a-sleep',
  },
]
