// Bugs planted in src/app, each found by the promise that it breaks (decision 0005: patches of the source). Most of them the simulator
// looks for as well, by what they do to the log.

import { must } from '../../src/base/assert.ts'
import { appTimerMutants } from '../../sim/mutants/app-timer-mutants.ts'
import type { Mutant } from '../../sim/mutants/mutant.ts'
import type { Promise_ } from './judge.ts'

type Bug = Mutant & { readonly promise: Promise_ }

export const bugs: readonly Bug[] = [
  asSimulated('callback-leaves-its-intent', 'fires once'),
  asSimulated('periodic-timer-without-its-next-time', 'fires once'),
  {
    name: 'ended-intent-is-performed',
    room: 'app',
    file: 'src/app/callbacks.ts',
    find: '  if (turn.hasEnded(intent)) return null\n',
    replace: '',
    story: 'an intent that an open commit ends is performed on top of it: extended, the session expires all the same',
    promise: 'expired or extended',
  },
  asSimulated('expiry-put-off-fires-as-well', 'expired or extended'),
  asSimulated('extension-in-sessionExpired-not-seen', 'expired or extended'),
  asSimulated('fired-timer-not-cancelled', 'cancel wins'),
  asSimulated('cancel-in-its-own-callback-undone', 'cancel wins'),
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
  asSimulated('timers-outlive-an-expired-session', 'the end is the end'),
  {
    name: 'destroyed-is-not-told',
    room: 'app',
    file: 'src/app/lifecycle.ts',
    find: '  turn.openIntent(DESTROYED)\n',
    replace: '',
    story: 'nobody hears that a session was invalidated',
    promise: 'the end is the end',
  },
  asSimulated('ready-with-an-active-timer', 'ready'),
]

function asSimulated(name: string, promise: Promise_): Bug {
  const mutant = appTimerMutants.find((one) => one.name === name)
  return { ...must(mutant, `the simulator's planted bug ${name}`), promise }
}
