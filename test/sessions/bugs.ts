// Bugs planted in src/app, each found by the promise that it breaks (decision 0005: patches of the source).

import type { Mutant } from '../../sim/mutants/mutant.ts'
import type { Promise_ } from './judge.ts'

type Bug = Mutant & { readonly promise: Promise_ }

export const bugs: readonly Bug[] = [
  {
    name: 'callback-leaves-the-intent',
    room: 'app',
    file: 'src/app/timers.ts',
    find: `  endIntent(turn, logTimer(id))
  const timer = turn.get('ServletTimer', id)`,
    replace: `  const timer = turn.get('ServletTimer', id)`,
    also: [
      {
        file: 'src/app/callbacks.ts',
        find: '  endIntent(turn, intent)\n}\n\n/** It ends',
        replace: '}\n\n/** It ends',
      },
    ],
    story: 'what timeout() did is committed, and the firing is still to be performed: it runs again at the next owner',
    promise: 'fires once',
  },
  {
    name: 'next-time-is-not-set',
    room: 'app',
    file: 'src/app/timers.ts',
    find: '  else setTimer(turn, id, next)',
    replace: '  else turn.put(id, next)',
    story: 'a periodic timer fires once, and is shown for ever',
    promise: 'fires once',
  },
  {
    name: 'ended-intent-is-performed',
    room: 'app',
    file: 'src/app/callbacks.ts',
    find: '  if (turn.hasEnded(intent)) return null\n',
    replace: '',
    story: 'an intent that an open commit ends is performed on top of it: extended, the session expires all the same',
    promise: 'expired or extended',
  },
  {
    name: 'extending-leaves-the-firing',
    room: 'app',
    file: 'src/app/expiry.ts',
    find: "  if (turn.get('ServletTimer', EXPIRY) !== null) endIntent(turn, EXPIRY)\n",
    replace: '',
    story: 'who extends a session that has fired sets its timer, and its firing is performed as well',
    promise: 'expired or extended',
  },
  {
    name: 'extension-in-the-callback-is-not-seen',
    room: 'app',
    file: 'src/app/callbacks.ts',
    find: 'intent === EXPIRY ? !isExpiryChanged(turn)',
    replace: 'intent === EXPIRY ? isExpiryChanged !== undefined',
    story: 'sessionExpired() extends the session, and it is invalidated in the same commit',
    promise: 'expired or extended',
  },
  {
    name: 'cancel-leaves-the-intent',
    room: 'app',
    file: 'src/app/timers.ts',
    find: `  turn.cancelTimer(logTimer(id))
  endIntent(turn, logTimer(id))
}`,
    replace: '  turn.cancelTimer(logTimer(id))\n}',
    story: 'a timer that has fired is cancelled, and its callback is still to be performed',
    promise: 'cancel wins',
  },
  {
    name: 'cancel-in-the-callback-comes-too-early',
    room: 'app',
    file: 'src/app/callbacks.ts',
    find: "  if (intent.startsWith(logTimer(''))) passTimer(turn, timerOf(intent))\n",
    replace: '',
    also: [
      {
        find: '  endIntent(turn, intent)\n}\n\n/** It ends',
        replace:
          "  if (intent.startsWith(logTimer(''))) passTimer(turn, timerOf(intent))\n  endIntent(turn, intent)\n}\n\n/** It ends",
      },
      {
        file: 'src/app/timers.ts',
        find: "  if (timer?.kind !== 'timer') return\n",
        replace:
          "  if (timer?.kind !== 'timer') return setTimer(turn, id, turn.held('ServletTimer', id)?.value as never)\n",
      },
    ],
    story: "the next time is set after the callback's operations: a cancel in it is undone",
    promise: 'cancel wins',
  },
  {
    name: 'newer-versions-pass',
    room: 'app',
    file: 'src/app/operations.ts',
    find: '  return is === version ? null',
    replace: '  return is >= version ? null',
    story: 'compare-and-put compares the wrong way: a stale put is accepted, and the one before it is lost',
    promise: 'nothing is lost',
  },
  {
    name: 'invalid-sessions-are-changed',
    room: 'app',
    file: 'src/app/operations.ts',
    find: '  if (app?.hosted.isValid !== true)',
    replace: '  if (app === null)',
    story: 'operations on an invalid session are done',
    promise: 'the end is the end',
  },
  {
    name: 'timers-outlive-the-session',
    room: 'app',
    file: 'src/app/lifecycle.ts',
    find: '  for (const { id } of timersOf(turn)) cancelTimer(turn, id)\n  setExpires(turn, null)',
    replace: '  setExpires(turn, null)',
    story: 'invalidate() leaves timers behind, which fire',
    promise: 'the end is the end',
  },
  {
    name: 'destroyed-is-not-told',
    room: 'app',
    file: 'src/app/lifecycle.ts',
    find: '  turn.openIntent(DESTROYED)\n',
    replace: '',
    story: 'nobody hears that a session was invalidated',
    promise: 'the end is the end',
  },
  {
    name: 'active-timer-is-not-seen',
    room: 'app',
    file: 'src/app/lifecycle.ts',
    find: '  if (app === null || timersOf(turn).length > 0) return false\n',
    replace: '  if (app === null) return false\n',
    story: 'a session with a timer counts as ready: it is invalidated with its last call, and the timer with it',
    promise: 'ready',
  },
]
