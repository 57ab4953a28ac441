// Planted bugs of ownership, passing on, freshness and the host around a replica.

import type { Mutant } from './mutant.ts'

export const replicaMutants: readonly Mutant[] = [
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
    name: 'detached-relays-invites',
    room: 'call',
    file: 'src/call/detached.ts',
    find: `  if (method === 'INVITE' || method === 'CANCEL' || toTag(request) === null) return null
  const dialog = dialogOf(turn, request)
  if (dialog === null && keyOfRoute(request, turn.ctx) === null) return null
`,
    replace: `  const dialog = dialogOf(turn, request)
`,
    story: 'a replica without a quorum relays INVITEs, which nobody has committed',
    promise: 'C8',
    schedule: 'without-a-quorum',
  },
  {
    name: 'detached-relays-the-end',
    room: 'call',
    file: 'src/call/detached.ts',
    find: `  return method !== 'INVITE' && method !== 'BYE' && method !== 'CANCEL'`,
    replace: `  return method !== 'INVITE' && method !== 'CANCEL'`,
    story: 'a replica without a quorum relays the answer to a BYE, though the end of the call is not committed',
    promise: 'C8',
    schedule: 'without-a-quorum',
  },
  {
    name: 'never-stale-again',
    room: 'replica',
    file: 'src/replica/freshness.ts',
    find: `    this.#stale = true
    if (!wasStale) this.#staleSince = now
    this.#forget(now)
    return !wasStale`,
    replace: '    if (wasStale) this.#forget(now)\n    else this.#contact = now\n    return false',
    story: 'an owner that slept speaks before it asks whether it still is one',
    promise: 'C8',
  },
  {
    name: 'takeover-forgets-groups',
    room: 'replica',
    file: 'src/replica/takeovers.ts',
    find: 'if (isOwn && this.#isGained(key, sweep)) found.push(key)',
    replace: '',
    story: 'a new owner does nothing until something comes in',
    promise: 'C2',
  },
  {
    name: 'judged-by-an-old-view',
    room: 'replica',
    file: 'src/replica/passing.ts',
    find: 'return frame.judged > store.serving().version || store.keyGeneration === 0',
    replace: 'return store.keyGeneration === 0',
    story: 'what is passed on is judged by an older serving entry than its sender knew: it goes round in circles',
    promise: 'C8',
  },
  {
    name: 'fallen-inputs-lost',
    room: 'replica',
    file: 'src/replica/owner.ts',
    find: `    this.#askAgain(held, inputs)
`,
    replace: `    this.#askAgain(held)
`,
    story: 'the inputs of a commit that was rejected for its version are not handled again',
    promise: 'C2',
    schedule: 'pulse-in-the-pipeline',
  },
  {
    name: 'not-after-not-checked',
    room: 'host',
    file: 'sim/host.ts',
    find: "if (effect.kind === 'send' && effect.isInside !== true && effect.notAfter < machine.now()) {",
    replace: "if (effect.kind === 'send' && machine.steps < 0) {",
    story: 'a host that slept sends what was free to go before',
    promise: 'C8',
    schedule: 'sleepers',
  },
  {
    name: 'serials-start-again',
    room: 'host',
    file: 'src/wire/recovery.ts',
    find: 'const start = lastStart(records) + 1',
    replace: 'const start = 1',
    story: 'a start is not a life of its own: its serials begin again, and its commits are taken for old ones',
    promise: 'C10',
  },
  {
    name: 'lookup-without-a-barrier',
    room: 'replica',
    file: 'src/replica/lookups.ts',
    find: 'filter((waiting) => isSure(waiting, applied))',
    replace: 'filter((waiting) => isSure(waiting, applied) || true)',
    story: 'a lookup shows what this replica has applied, however old that is',
    promise: 'C9',
  },
  {
    name: 'folded-into-what-waits',
    room: 'replica',
    file: 'src/replica/owner.ts',
    find: `    if (last.sends.length > 0) return false
`,
    replace: '',
    story:
      'a commit that a message waits for takes the next one in, which supersedes that message: it leaves though no commit has it',
    promise: 'L12',
    schedule: 'cancel-meets-answer',
  },
  {
    name: 'read-context-reused',
    room: 'replica',
    file: 'src/replica/freshness.ts',
    find: 'this.#asked.push({ context: ++this.#context, at: now })',
    replace: 'this.#asked.push({ context: (this.#context = 1), at: now })',
    story: 'a question for a barrier has the number of an earlier one, whose answer may still come',
    promise: 'L10',
  },
  {
    name: 'read-context-of-earlier-life',
    room: 'replica',
    file: 'src/replica/read-contexts.ts',
    find: '(startOf(life) % starts) * ofLife',
    replace: '0 * startOf(life)',
    story: 'each life numbers its questions for barriers from 1, and the answer to one of an earlier life counts',
    promise: 'L10',
  },
  {
    name: 'intent-performed-twice',
    room: 'replica',
    file: 'src/replica/owner.ts',
    find: `        this.#intents.push({ group: timer.group, id: timer.id })
      }`,
    replace: `        this.#intents.push({ group: timer.group, id: timer.id })
        this.#intents.push({ group: timer.group, id: timer.id })
      }`,
    also: [
      {
        file: 'src/replica/intent-queue.ts',
        find: '        if (this.#performing.has(placeOf(intent))) continue\n',
        replace: '',
      },
    ],
    story: 'a timer that fires is performed twice at its owner',
    promise: 'C3',
    schedule: 'every-flow',
  },
  {
    name: 'damage-taken-for-a-torn-end',
    room: 'wire',
    file: 'src/wire/segment.ts',
    find: 'torn: !isFlipped && isTorn(segment, end, stop, incomplete)',
    replace: 'torn: incomplete || stop > end',
    story: 'a flipped bit in the middle of the log is taken for its torn end, and all behind it is cut off',
    promise: 'L2',
  },
  {
    name: 'starts-without-its-log',
    room: 'wire',
    file: 'src/wire/recovery.ts',
    find: 'if (!owner.hasRun) return ok(null)',
    replace: 'return ok(null)',
    story: 'a replica whose log is gone starts anew under its old number',
    promise: 'L2',
  },
  {
    name: 'another-disk-let-in',
    room: 'wire',
    file: 'src/wire/peer-identity.ts',
    find: 'if (before === incarnation) return',
    replace: 'if (before !== undefined) return',
    story: 'peers listen to a replica that came back with another disk: it may vote twice',
    promise: 'L9',
  },
  {
    name: 'stale-and-serving',
    room: 'replica',
    file: 'src/replica/log-port.ts',
    find: 'stale() ? index(0) : store.appliedIndex',
    replace: 'store.appliedIndex',
    story: 'a replica that is too slow for its barriers, but answers its leader, keeps its calls and handles nothing',
    promise: 'C2',
    schedule: 'laggards',
  },
  {
    name: 'stuck-and-silent',
    room: 'replica',
    file: 'src/replica/replica.ts',
    find: 'this.#room.takesNothing || this.#freshness.isStuck(this.#now)',
    replace: 'this.#room.takesNothing',
    story: 'a replica that is stale for long keeps what phones send to it, until they give up',
    promise: 'C1',
    schedule: 'laggards',
  },
  {
    name: 'lag-is-not-stale',
    room: 'replica',
    file: 'src/replica/freshness.ts',
    find: 'return silent < old ? silent : old',
    replace: 'return silent < old ? silent : silent',
    story: 'an owner with a full disk hears its leader, applies nothing, and speaks for groups that it has lost',
    promise: 'C8',
  },
]
