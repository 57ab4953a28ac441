// Planted bugs in applications that are an end of their calls (src/app/legs.ts).

import type { Mutant } from './mutant.ts'

export const legMutants: readonly Mutant[] = [
  {
    name: 'half-of-a-two-leg-commit',
    room: 'app',
    file: 'src/app/uac.ts',
    find: `  turn.put(requestOf(id), { kind: 'request', text: flat(out.text) })
  if (method`,
    replace: `  if (leg.session === '1' || !isInitial) turn.put(requestOf(id), { kind: 'request', text: flat(out.text) })
  if (method`,
    story: "a B2BUA's second leg is begun without its bytes in the commit that takes the first one",
    promise: 'L12',
    schedule: 'legs',
  },
  {
    name: 'second-leg-leaves-before-its-commit',
    room: 'app',
    file: 'src/app/uac.ts',
    find: `client: startNonInviteClient(reliable, millis(0), turn.now) })
  turn.sendAfter(hop, text, what.uac(id))`,
    replace: `client: startNonInviteClient(reliable, millis(0), turn.now) })
  turn.send(hop, text, what.uac(id))`,
    also: [{ file: 'src/call/turn.ts', find: 'this.#isHeldBack = true', replace: 'this.#isHeldBack = false' }],
    story: 'what an application sends leaves before the commit of its turn',
    promise: 'L12',
    schedule: 'legs',
  },
  {
    name: 'answer-said-once',
    room: 'transaction',
    file: 'src/transaction/success-repeats.ts',
    find: "next: doubled(machine.next, now, timers.t2) }, actions: ['send-final'] }",
    replace: 'next: doubled(machine.next, now, timers.t2) }, actions: [] }',
    also: [
      {
        file: 'src/app/leg-takeover.ts',
        find: "if (state === 'acknowledged') return",
        replace: "if (state === 'acknowledged' || state === 'accepted') return",
      },
    ],
    story: 'a 2xx of ours is not said again, neither by who said it nor by a new owner',
    promise: 'C2',
    schedule: 'legs',
  },
  {
    name: 'leg-acknowledged-once',
    room: 'app',
    file: 'src/app/uac-response.ts',
    find: `    turn.send(leg.ack.hop, leg.ack.text, what.legAck(legId(leg.session)))
    return 'core'`,
    replace: `    return 'core'`,
    also: [
      {
        file: 'src/app/leg-takeover.ts',
        find: 'legAge(turn, id) < timers.sixtyFourT1',
        replace: 'legAge(turn, id) < 0',
      },
    ],
    story: 'a 2xx that comes again gets no ACK again, nor does a new owner say it',
    promise: 'C1',
    schedule: 'legs',
  },
  {
    name: 'cseq-reused-after-a-takeover',
    room: 'app',
    file: 'src/session/leg.ts',
    find: '[1, local.party, local.tag, local.cseq],',
    replace: '[1, local.party, local.tag, Math.min(local.cseq, 1)],',
    story: 'the CSeq numbers of our requests are counted by their owner, not by the log',
    promise: 'C4',
    schedule: 'legs',
  },
  {
    name: 'no-ack-told-twice',
    room: 'app',
    file: 'src/app/legs.ts',
    find: "if (record?.kind !== 'uas' || record.state !== 'accepted') return 'core'\n  acknowledge(turn, id, record)",
    replace: "if (record?.kind !== 'uas') return 'core'\n  turn.setTimer(`u.n.${id}`, 100_000 as never, null)",
    story: 'the timer that says that no ACK came is set anew when it fires',
    promise: 'C3',
    schedule: 'legs',
  },
  {
    name: 'local-tag-of-its-owner',
    room: 'app',
    file: 'src/app/leg-find.ts',
    find: 'return hashHex(sipHashText(key, `leg ${turn.key} ${session}`))',
    replace: 'return hashHex(sipHashText(key, `leg ${turn.now} ${session}`))',
    also: [
      {
        file: 'src/app/leg-messages.ts',
        find: `    toTag: leg.local.tag,
    headers: [...routes`,
        replace: `    toTag: legTag(turn, leg.session),
    headers: [...routes`,
      },
      {
        file: 'src/app/leg-messages.ts',
        find: "import type { OpFault } from './leg-find.ts'",
        replace: "import { legTag } from './leg-find.ts'\nimport type { OpFault } from './leg-find.ts'",
      },
    ],
    story: 'our tag in a dialog is made anew for each answer, so that another owner has another one',
    promise: 'C4',
    schedule: 'legs',
  },
  {
    name: 'other-leg-left-ringing',
    room: 'app',
    file: 'src/app/uac.ts',
    find: '  turn.put(id, cancelled)\n  turn.setTimer(cancelTimer(id), timers.sixtyFourT1, null)',
    replace: '  turn.setTimer(cancelTimer(id), timers.sixtyFourT1, null)',
    story: 'that the second leg is to be cancelled is not in the commit: a new owner lets it ring',
    promise: 'C2',
    schedule: 'legs',
  },
]
