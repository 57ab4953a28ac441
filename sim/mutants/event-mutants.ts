// Planted bugs of what is told of the log (docs/decisions/0032-events.md).

import type { Mutant } from './mutant.ts'

export const eventMutants: readonly Mutant[] = [
  {
    name: 'event-of-a-rejected-commit',
    room: 'store',
    file: 'src/store/store.ts',
    find: `    if (refusal !== null) return refusal
    const told`,
    replace: `    if (refusal !== null) {
      this.#tail?.add(at, this.#tail.ofCommit(commit, this.#lastStamp, (tree, id) => this.#groups.entity(group, { tree, id })))
      return refusal
    }
    const told`,
    story: 'what a commit would have done is told, though it was rejected: the call is told to begin or to end twice',
    promise: 'C3',
    schedule: 'pulse-in-the-pipeline',
  },
  {
    name: 'events-lost-at-a-restart',
    room: 'store',
    file: 'src/store/tail.ts',
    find: '      this.add(index, texts)\n    }\n    return null',
    replace: '    }\n    return null',
    story: 'a replica that starts from a snapshot says that it has the events before it, and has none',
    promise: 'C3',
    schedule: 'behind-the-log',
  },
  {
    name: 'events-of-the-old-store',
    room: 'store',
    file: 'src/store/store.ts',
    find: '    this.#tail = other.#tail\n',
    replace: '',
    story:
      "a replica that installs a leader's snapshot goes on with the events that it had: those between are missing, untold",
    promise: 'C3',
    schedule: 'behind-the-log',
  },
  {
    name: 'record-at-the-answer-too',
    room: 'call',
    file: 'src/call/events.ts',
    find: "const isOver = after.state === 'TERMINATED' && (begins || was !== null)",
    replace:
      "const isOver = after.state === 'TERMINATED' || (after.state === 'CONFIRMED' && was?.state !== 'CONFIRMED')",
    also: [
      { find: 'if (ending !== null) events.push({', replace: 'events.push({' },
      { find: 'answered, ...ending })', replace: 'answered, ...(ending ?? endOf(commit, id)) })' },
    ],
    story: 'a call has a record when it is answered, and another one when it ends',
    promise: 'C3',
  },
  {
    name: 'failed-leg-never-over',
    room: 'app',
    file: 'src/app/uac-response.ts',
    find: '    leaveCall(turn, session)\n',
    replace: "    enterSession(turn, session, 'INITIAL')\n",
    story: 'the session of a leg whose INVITE failed is as new, and nothing says that its call is over',
    promise: 'C3',
    schedule: 'legs',
  },
  {
    name: 'leg-told-again-at-its-grave',
    room: 'call',
    file: 'src/call/leg-events.ts',
    find: '(isIn || was === null || was.began !== is.began)',
    replace: "(isIn || was === null || is.state === 'TERMINATED')",
    story: "whatever is put of a leg's session once its call is over is told as one more call that began and ended",
    promise: 'C3',
    schedule: 'legs',
  },
  {
    name: 'leg-record-without-its-answer',
    room: 'call',
    file: 'src/call/events.ts',
    find: "return { event: 'call-ended', ...part, answered, ...change.end }",
    replace: "return { event: 'call-ended', ...part, answered: null, ...change.end }",
    story: "the record of a call that an application answered or placed doesn't say that it was answered",
    promise: 'C3',
    schedule: 'legs',
  },
  {
    name: 'leg-record-at-its-answer-too',
    room: 'call',
    file: 'src/call/leg-events.ts',
    find: "  if (is.state === 'TERMINATED') changes.push(ended(commit, id, is, same ?? is, invite))\n",
    replace:
      "  if (is.state === 'TERMINATED' || (is.answered !== null && from !== 'CONFIRMED')) changes.push(ended(commit, id, is, same ?? is, invite))\n",
    story: "a leg's call has a record when it is answered, and another one when it ends",
    promise: 'C3',
    schedule: 'legs',
  },
]
