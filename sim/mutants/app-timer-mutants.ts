// Planted bugs of applications' sessions and timers: in the log they are seen by checkers/app-timers.ts, whose application is keeps-time.

import type { Mutant } from './mutant.ts'

const schedule = 'app-timers'

export const appTimerMutants: readonly Mutant[] = [
  {
    name: 'callback-leaves-its-intent',
    room: 'app',
    file: 'src/app/timers.ts',
    find: `  endIntent(turn, logTimer(id))
  const timer = turn.get('ServletTimer', id)`,
    replace: `  const timer = turn.get('ServletTimer', id)`,
    also: [
      {
        file: 'src/app/callbacks.ts',
        find: '  endIntent(turn, intent)\n}\n\n/** It ends',
        replace: "  if (!intent.startsWith('t.')) endIntent(turn, intent)\n}\n\n/** It ends",
      },
    ],
    story: 'what timeout() did is committed, and the firing is still to be performed: the next owner runs it again',
    promise: 'C5',
    schedule,
  },
  {
    name: 'periodic-timer-without-its-next-time',
    room: 'app',
    file: 'src/app/timers.ts',
    find: '  else setTimer(turn, id, next)',
    replace: '  else turn.put(id, next)',
    story: 'a periodic timer fires once, and is shown for ever',
    promise: 'C5',
    schedule,
  },
  {
    name: 'fired-timer-not-cancelled',
    room: 'app',
    file: 'src/app/timers.ts',
    find: `  turn.cancelTimer(logTimer(id))
  endIntent(turn, logTimer(id))
}`,
    replace: '  turn.cancelTimer(logTimer(id))\n}',
    story: 'a timer that has fired is cancelled by the callback of another one, and its own is still to be performed',
    promise: 'C5',
    schedule,
  },
  {
    name: 'cancelled-timer-stays-in-the-log',
    room: 'app',
    file: 'src/app/timers.ts',
    find: `  turn.cancelTimer(logTimer(id))
  endIntent(turn, logTimer(id))
}`,
    replace: '  endIntent(turn, logTimer(id))\n}',
    story: 'cancel takes the timer away and leaves its deadline: it fires, for nobody',
    promise: 'C5',
    schedule,
  },
  {
    name: 'cancel-in-its-own-callback-undone',
    room: 'app',
    file: 'src/app/callbacks.ts',
    find: "  if (intent.startsWith(logTimer(''))) passTimer(turn, timerOf(intent))\n",
    replace: '',
    also: [
      {
        find: '  endIntent(turn, intent)\n}\n\n/** It ends',
        replace:
          "  if (intent.startsWith('t.')) passTimer(turn, timerOf(intent))\n  endIntent(turn, intent)\n}\n\n/** It ends",
      },
      {
        file: 'src/app/timers.ts',
        find: "  if (timer?.kind !== 'timer') return\n",
        replace:
          "  if (timer?.kind !== 'timer') return setTimer(turn, id, turn.held('ServletTimer', id)?.value as ServletTimer)\n",
      },
    ],
    story: "the next time is set after the callback's operations: a cancel in it is undone",
    promise: 'C5',
    schedule,
  },
  {
    name: 'extension-in-sessionExpired-not-seen',
    room: 'app',
    file: 'src/app/callbacks.ts',
    find: 'intent === EXPIRY ? !isExpiryChanged(turn)',
    replace: 'intent === EXPIRY ? isExpiryChanged !== undefined',
    story: 'sessionExpired() puts the expiry off, and the session is invalidated in the same commit: its timers go',
    promise: 'C5',
    schedule,
  },
  {
    name: 'expiry-put-off-fires-as-well',
    room: 'app',
    file: 'src/app/expiry.ts',
    find: "  if (turn.get('ServletTimer', EXPIRY) !== null) endIntent(turn, EXPIRY)\n",
    replace: '',
    also: [
      {
        file: 'src/app/callbacks.ts',
        find: '  endIntent(turn, intent)\n}\n\n/** It ends',
        replace: '  if (intent !== EXPIRY) endIntent(turn, intent)\n}\n\n/** It ends',
      },
    ],
    story: 'who puts the expiry off leaves the firing before: the session is pending and expired at once',
    promise: 'C5',
    schedule,
  },
  {
    name: 'timers-outlive-an-expired-session',
    room: 'app',
    file: 'src/app/lifecycle.ts',
    find: '  for (const { id } of timersOf(turn)) cancelTimer(turn, id)\n  setExpires(turn, null)',
    replace: '  setExpires(turn, null)',
    story: 'a session ends, and its timers go on',
    promise: 'C5',
    schedule,
  },
  {
    name: 'ready-with-an-active-timer',
    room: 'app',
    file: 'src/app/lifecycle.ts',
    find: '  if (app === null || timersOf(turn).length > 0) return false\n',
    replace: '  if (app === null) return false\n',
    story: 'a session whose calls are over is invalidated though a timer is active: nobody hears of it',
    promise: 'C5',
    schedule,
  },
  {
    name: 'session-goes-with-its-call',
    room: 'call',
    file: 'src/call/settle.ts',
    find: '  const kept = isKept(turn)\n',
    replace: '  const kept = isKept(turn) && turn.taken.length > 0\n',
    story: "the timer that takes what is left of a call takes its application's session, with the timers of it",
    promise: 'C5',
    schedule,
  },
  {
    name: 'rate-counted-from-its-callback',
    room: 'app',
    file: 'src/app/timers.ts',
    find: 'held.stamp : turn.ctx.cluster',
    replace: 'turn.ctx.cluster : turn.ctx.cluster',
    story: 'a fixed rate is counted from when its callback ran: each death moves it',
    promise: 'C5',
    schedule,
  },
  {
    name: 'proposed-again-over-a-firing',
    room: 'replica',
    file: 'src/replica/held.ts',
    find: 'return intents.some(({ id }) => changed.has(id) && !done.includes(id))',
    replace: 'return intents.length > 0 && changed.size > intents.length + 1_000',
    story:
      'a commit that timers felled is proposed again as it was, though one of them is what it sets anew: the session is put off, and expires',
    promise: 'C5',
    schedule: 'app-cuts',
  },
  {
    name: 'proposed-again-over-changes',
    room: 'replica',
    file: 'src/replica/held.ts',
    find: 'if (version <= commit.expected || entities.length !== before.entities.size) return false',
    replace: 'if (version > commit.expected) return true',
    story: 'a commit that fell is proposed again as it was, whatever has changed in its group meanwhile',
    promise: 'L11',
    schedule: 'app-cuts',
  },
]
