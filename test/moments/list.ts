// The moments that break today's systems, as far as real processes can be brought to them. No schedule has a sleep: each step waits
// for what a phone sees, or for what a replica says at its admin address. "Crossing": the phones have said it, the kernel has it,
// and the replica is killed before anything else is done.

import { appendFileSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import {
  answered,
  bothAnswer,
  byeCrossing,
  calleeHangsUp,
  cancelCrossing,
  cancelled,
  forked,
  glare,
  reInvite,
  refresh,
  refused,
  reliable,
} from './flows.ts'
import type { Moment } from './moment.ts'
import type { Stage } from './stage.ts'

/** The calls stand somewhere, a replica dies, and what was held back comes, and what comes after that. What a phone writes to the
 * dead one before it knows is `crossing`. */
const standing =
  (phase: 'early' | 'confirmed', deed: string, ...next: readonly string[]) =>
  async (stage: Stage): Promise<void> => {
    await stage.stand(phase, deed)
    stage.kill()
    await stage.noticed()
    stage.crowd.go(deed, ...next)
  }

/** Those deeds have just been done when the replica dies. */
const crossing =
  (phase: 'early' | 'confirmed', ...deeds: readonly string[]) =>
  async (stage: Stage): Promise<void> => {
    await stage.stand(phase, ...deeds)
    stage.crowd.go(...deeds)
    await stage.crowd.network.flushed()
    stage.kill()
  }

/** Seconds; the calls stand by then. */
const LIFETIME = ['--max-call', '10'] as const

/** The set ends the calls by age. The first of its BYEs is there, those of calls that began a moment later are due, and the replica
 * dies; callers hang up in that same moment, or never. */
const tooOld =
  (...deeds: readonly string[]) =>
  async (stage: Stage): Promise<void> => {
    await stage.stand('confirmed', 'caller BYE')
    await stage.crowd.until('the set hangs up on somebody', 60_000, () => stage.crowd.hungUpOn > 0)
    stage.crowd.go(...deeds)
    await stage.crowd.network.flushed()
    stage.kill()
  }

export const moments: readonly Moment[] = [
  {
    nth: 1,
    name: 'INVITE received, nothing committed',
    flow: answered,
    held: [],
    victim: 'leader',
    stage: async (stage) => {
      // Without them the leader commits nothing.
      await stage.freeze(stage.others)
      stage.crowd.call()
      stage.owned = await stage.inHands()
      if (stage.crowd.rung > 0) throw new Error('an INVITE was forwarded before it was committed')
      stage.kill()
      stage.thaw(stage.others)
    },
  },
  {
    nth: 1,
    name: 'INVITE committed, not forwarded',
    flow: answered,
    held: [],
    victim: 'follower',
    stage: async (stage) => {
      const { crowd, others } = stage
      // What the victim proposes waits in the stopped leader's socket, and is committed after the victim's death.
      await stage.freeze(others)
      crowd.call()
      await stage.open()
      if (crowd.rung > 0) throw new Error('an INVITE was forwarded before it was committed')
      crowd.stopClocks()
      stage.kill()
      stage.thaw(others)
      // No phone has said anything again.
      await stage.count('some calls of the victim are in the log', others[0] as number, (owned) => owned > 0)
      crowd.startClocks()
    },
  },
  {
    nth: 2,
    name: 'INVITE forwarded, no 180 yet',
    flow: answered,
    held: ['callee 180'],
    victim: 'any',
    stage: standing('early', 'callee 180'),
  },
  {
    nth: 2,
    name: 'ringing, then answered',
    flow: answered,
    held: ['callee 200'],
    victim: 'any',
    stage: standing('early', 'callee 200'),
  },
  {
    nth: 2,
    name: 'ringing, then refused with 486',
    flow: refused,
    held: ['callee 486'],
    victim: 'any',
    stage: standing('early', 'callee 486'),
  },
  {
    nth: 3,
    name: '183 with its PRACK open, the caller hangs up',
    flow: reliable,
    held: ['callee 200 to PRACK', 'caller CANCEL'],
    victim: 'any',
    stage: standing('early', 'callee 200 to PRACK', 'caller CANCEL'),
  },
  {
    nth: 4,
    name: '200 in, not committed',
    flow: answered,
    held: ['callee 200'],
    victim: 'leader',
    stage: async (stage) => {
      await stage.stand('early', 'callee 200')
      await stage.freeze(stage.others)
      stage.crowd.go('callee 200')
      await stage.open()
      if (stage.crowd.finals > 0) throw new Error('a 200 was relayed before it was committed')
      stage.kill()
      stage.thaw(stage.others)
    },
  },
  {
    nth: 4,
    name: '200 committed, not relayed',
    flow: answered,
    held: ['callee 200'],
    victim: 'follower',
    stage: async (stage) => {
      await stage.stand('early', 'callee 200')
      await stage.freeze(stage.others)
      stage.crowd.go('callee 200')
      await stage.open()
      if (stage.crowd.finals > 0) throw new Error('a 200 was relayed before it was committed')
      stage.kill()
      stage.thaw(stage.others)
    },
  },
  {
    nth: 4,
    name: '200 relayed, not acknowledged',
    flow: answered,
    held: ['caller ACK', 'caller BYE'],
    victim: 'any',
    stage: standing('confirmed', 'caller ACK', 'caller BYE'),
  },
  {
    nth: 5,
    name: 'ringing, then CANCEL',
    flow: cancelled,
    held: ['caller CANCEL'],
    victim: 'any',
    stage: standing('early', 'caller CANCEL'),
  },
  {
    nth: 5,
    name: 'CANCEL crossing 200',
    flow: cancelCrossing,
    held: ['caller CANCEL', 'callee 200'],
    victim: 'any',
    stage: crossing('early', 'caller CANCEL', 'callee 200'),
  },
  {
    nth: 6,
    name: 'two early dialogs, one answers',
    flow: forked,
    held: ['callee 200'],
    victim: 'any',
    forks: true,
    stage: async (stage) => {
      stage.crowd.call()
      await stage.crowd.until('both callees of each call ring', 60_000, () => stage.crowd.rung === 2 * stage.calls)
      await standing('early', 'callee 200')(stage)
    },
  },
  {
    nth: 6,
    name: 'two 200s, the second one late',
    flow: bothAnswer,
    held: ['callee 200', 'callee2 200'],
    victim: 'any',
    forks: true,
    stage: crossing('early', 'callee 200', 'callee2 200'),
  },
  {
    nth: 7,
    name: 're-INVITEs of both sides crossing',
    flow: glare,
    held: ['caller INVITE 2', 'callee INVITE'],
    victim: 'any',
    stage: crossing('confirmed', 'caller INVITE 2', 'callee INVITE'),
  },
  {
    nth: 8,
    name: 'up, then BYE of the caller',
    flow: answered,
    held: ['caller BYE'],
    victim: 'any',
    stage: standing('confirmed', 'caller BYE'),
  },
  {
    nth: 8,
    name: 'up, then BYE of the callee',
    flow: calleeHangsUp,
    held: ['callee BYE'],
    victim: 'any',
    stage: standing('confirmed', 'callee BYE'),
  },
  {
    nth: 8,
    name: 'BYE crossing BYE',
    flow: byeCrossing,
    held: ['caller BYE', 'callee BYE'],
    victim: 'any',
    stage: crossing('confirmed', 'caller BYE', 'callee BYE'),
  },
  {
    nth: 8,
    name: 'BYE crossing the time-out of the call',
    flow: answered,
    held: ['caller BYE'],
    victim: 'any',
    set: { extra: LIFETIME },
    endsBySet: true,
    stage: tooOld('caller BYE'),
  },
  {
    nth: 9,
    name: 're-INVITE in flight, then its 200',
    flow: reInvite,
    held: ['callee 200 2'],
    victim: 'any',
    stage: standing('confirmed', 'callee 200 2'),
  },
  {
    nth: 9,
    name: 'UPDATE in flight',
    flow: refresh,
    held: ['caller UPDATE'],
    victim: 'any',
    stage: crossing('confirmed', 'caller UPDATE'),
  },
  {
    nth: 10,
    name: 'time-outs of calls due in the moment of the death',
    flow: answered,
    held: ['caller BYE'],
    victim: 'any',
    set: { extra: LIFETIME },
    endsBySet: true,
    stage: tooOld(),
  },
  {
    nth: 11,
    name: 'the minority keeps its sockets, one of the majority dies, BYEs meanwhile',
    flow: answered,
    held: ['caller BYE'],
    victim: 'leader',
    stage: async (stage) => {
      await stage.stand('confirmed', 'caller BYE')
      const [stopped, left] = stage.others as [number, number]
      await stage.freeze([stopped])
      stage.kill()
      await stage.status(left, 'the third is detached', ({ detached }) => detached)
      await stage.noticed()
      stage.crowd.go('caller BYE')
      await stage.crowd.network.flushedWhereOpen()
      stage.thaw([stopped])
    },
  },
  {
    nth: 12,
    name: 'the whole set dies and starts from its disks, BYEs meanwhile',
    flow: answered,
    held: ['caller BYE'],
    victim: 'any',
    stage: async (stage) => {
      await stage.stand('confirmed', 'caller BYE')
      for (const id of [stage.victim, ...stage.others]) stage.kill(id)
      stage.owned = stage.calls
      await stage.noticed()
      stage.crowd.go('caller BYE')
    },
  },
  {
    nth: 12,
    name: 'one is back and behind, another one dies',
    flow: answered,
    held: ['callee 200'],
    victim: 'any',
    stage: async (stage) => {
      const { set } = stage
      await stage.stand('early', 'callee 200')
      const before = set.events.length
      stage.kill()
      await stage.noticed()
      stage.crowd.go('callee 200')
      await set.event(
        'it starts again',
        60_000,
        (event) => event.event === 'replica' && event.id === stage.victim,
        before,
      )
      // It has not been admitted yet.
      stage.kill(stage.others[0])
    },
  },
  {
    nth: 12,
    name: 'it starts with a torn record at the end of its log',
    flow: answered,
    held: ['caller BYE'],
    victim: 'any',
    stage: async (stage) => {
      const { set, victim } = stage
      await stage.stand('confirmed', 'caller BYE')
      const before = set.events.length
      stage.kill()
      await set.event('it dies', 60_000, (event) => event.event === 'exit' && event.id === victim, before)
      tear(join(stage.data, `replica-${victim}`))
      await stage.noticed()
      stage.crowd.go('caller BYE')
    },
  },
  {
    nth: 12,
    name: 'its disk is lost, a fresh one takes its place, ringing calls are answered',
    changesSet: true,
    flow: answered,
    held: ['callee 200'],
    victim: 'follower',
    set: { restart: 'never' },
    stage: async (stage) => {
      const { set, victim } = stage
      await stage.stand('early', 'callee 200')
      const before = set.events.length
      stage.kill()
      await set.event('it dies', 60_000, (event) => event.event === 'exit' && event.id === victim, before)
      rmSync(join(stage.data, `replica-${victim}`), { recursive: true })
      await stage.noticed()
      const replaced = stage.operate('members', 'replace', String(victim))
      stage.crowd.go('callee 200')
      await replaced
    },
  },
  {
    nth: 13,
    name: 'the leader sleeps with 200s in hand, and wakes when others own its calls',
    flow: answered,
    held: ['callee 200'],
    victim: 'leader',
    stage: async (stage) => {
      await stage.stand('early', 'callee 200')
      stage.crowd.go('callee 200')
      await stage.crowd.network.flushed()
      await stage.freeze([stage.victim])
      for (const id of stage.others) {
        await stage.status(id, 'the sleeper is out of serving', ({ serving }) =>
          serving.every((one) => one.id !== stage.victim),
        )
      }
      stage.thaw([stage.victim])
    },
  },
  {
    nth: 14,
    name: 'drain with CANCELs in flight, and another one dies',
    flow: cancelled,
    held: ['caller CANCEL'],
    victim: 'leader',
    stage: async (stage) => {
      await stage.stand('early', 'caller CANCEL')
      stage.drain(stage.others[0] as number)
      stage.crowd.go('caller CANCEL')
      await stage.crowd.network.flushed()
      stage.kill()
    },
  },
  {
    nth: 14,
    name: 'drain with ACKs in flight, and another one dies',
    flow: answered,
    held: ['caller ACK', 'caller BYE'],
    victim: 'leader',
    stage: async (stage) => {
      await stage.stand('confirmed', 'caller ACK')
      stage.drain(stage.others[0] as number)
      stage.crowd.go('caller ACK')
      await stage.crowd.network.flushed()
      stage.kill()
      await stage.noticed()
      stage.crowd.go('caller BYE')
    },
  },
  {
    nth: 14,
    name: 'a member is added during a re-INVITE, then one dies',
    changesSet: true,
    flow: reInvite,
    held: ['callee 200 2'],
    victim: 'leader',
    stage: async (stage) => {
      await stage.stand('confirmed', 'callee 200 2')
      await stage.operate('members', 'add')
      await stage.count('the calls that there are', stage.victim)
      stage.kill()
      await stage.noticed()
      stage.crowd.go('callee 200 2')
    },
  },
  {
    nth: 15,
    name: 'a storm: all call at once, and one dies as the first rings',
    flow: answered,
    held: [],
    victim: 'any',
    stage: async (stage) => {
      stage.crowd.call()
      await stage.crowd.until('the first callee rings', 60_000, () => stage.crowd.rung > 0)
      await stage.count('the calls that there are', stage.victim)
      stage.kill()
    },
  },
]

/** The beginning of a record without its end: a write that a power cut stopped. */
function tear(folder: string): void {
  const segment = readdirSync(folder)
    .filter((name) => name.endsWith('.wal'))
    .sort()
    .at(-1)
  if (segment === undefined) throw new Error(`no log in ${folder}`)
  appendFileSync(join(folder, segment), Uint8Array.from([200, 1, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8]))
}
