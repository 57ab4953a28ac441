// SIPp's own scenarios, as they are, on both ends: `uac` and `regexp` call, `uas` is called. They can't be told what to do, so calls
// run all the time, and each replica is killed while some are up; the ones that ring while a replica dies are called by `uac`
// and answered by a scenario of ours, since `uas` answers at once. SIPp's own count says what became of each.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startCallee, startCaller } from '../cluster/sipp.ts'
import type { SippOptions, SippTransport } from '../cluster/sipp.ts'
import { must } from '../../src/base/assert.ts'
import { inArena } from './arena.ts'
import type { Arena } from './arena.ts'
import { missingPrograms, versionOf } from './software.ts'
import type { Kill, Outcome, Software } from './software.ts'

type Scenario = SippOptions['scenario']

const CALLS = 20
/** How long a call is up, and how long one rings: a kill fits in between. */
const HOLD_MS = 6_000

/** `regexp` hangs up after a second, whatever it is told. */
const lateCallee: Scenario = {
  file: fileURLToPath(new URL('../cluster/scenarios/callee-answers-late.xml', import.meta.url)),
}

interface Batch {
  readonly caller: Scenario
  readonly callee: Scenario
  readonly holdMs: number
  readonly phase: 'early' | 'confirmed'
}

const batches: Readonly<Record<string, readonly Batch[]>> = {
  'uac, uas': [
    { caller: { builtIn: 'uac' }, callee: { builtIn: 'uas' }, holdMs: HOLD_MS, phase: 'confirmed' },
    { caller: { builtIn: 'uac' }, callee: lateCallee, holdMs: HOLD_MS, phase: 'early' },
  ],
  'regexp, uas': [{ caller: { builtIn: 'regexp' }, callee: lateCallee, holdMs: HOLD_MS, phase: 'early' }],
}

export function sippSoftware(
  role: keyof typeof batches,
  socket: Extract<SippTransport, 'un' | 't1'>,
  slot: number,
): Software {
  const transport = socket.startsWith('u') ? 'udp' : 'tcp'
  return {
    ...{ name: 'sipp', role, transport, slot },
    missing: () => missingPrograms(['sipp'], 'sip-tester'),
    version: () => versionOf('sipp', ['-v']),
    run: (slot) =>
      inArena(slot, `127.66.${slot}.200:5070;transport=udp`, async (arena) => {
        const outcomes: Outcome[] = []
        for (const batch of batches[role] ?? []) {
          for (const victim of arena.victims) outcomes.push(await play(arena, batch, socket, victim))
        }
        return sum(outcomes)
      }),
  }
}

async function play(arena: Arena, batch: Batch, socket: SippTransport, victim: number): Promise<Outcome> {
  const { set, place } = arena
  const { phase } = batch
  const at = `${phase}-${victim}`
  const folder = (side: string): string => join(arena.folder, `${side}-${at}`)
  const { calls: before } = must((await set.statuses('all answer', 20_000, () => true))[0], 'a status')
  // On UDP: SIPp as a callee does not outlive the end of a connection.
  const callee = await startCallee({
    ...{ local: place.callee, folder: folder('callee'), transport: 'u1', scenario: batch.callee },
    holdMs: phase === 'early' ? HOLD_MS : 0,
  })
  const caller = await startCaller({
    ...{ local: place.caller, folder: folder('caller'), transport: socket, scenario: batch.caller, reconnects: true },
    ...{ holdMs: phase === 'early' ? 0 : HOLD_MS, remote: place.sip, calls: CALLS, rate: 20 },
  })
  try {
    await set.statuses(`${CALLS} calls are ${phase}`, 20_000, ({ calls }) => calls[phase] === before[phase] + CALLS)
    const kill: Kill = await arena.kill(victim)
    // One connection carries all its calls: all of them were on the dead one's, or none.
    const isCut = kill.connections.has(`${place.caller} ${place.sip}`)
    const [answered, ringing] = phase === 'early' ? [0, CALLS] : [CALLS, 0]
    // It listens nowhere: an answer can't come to it by another connection, and it makes one only to say something.
    if (isCut && phase === 'early') {
      await arena.whole()
      return { answered, ringing, kills: [kill], survived: 0, cut: { answered: 0, ringing: CALLS }, lost: [] }
    }
    const stats = await caller.finished(90_000)
    // What it says first on a connection that is gone is lost, and the call with it; then it makes another one.
    const cut = isCut ? stats.unsent : 0
    // One whose ACK died with a replica repeats its 200 for up to 32 s.
    await callee.reaches('all calls end', 45_000, ({ successful, failed }) => successful + failed >= CALLS - cut)
    const wrong = Math.max(stats.failed - cut, callee.stats().failed)
    const story = [caller, callee].map((phone) =>
      phone
        .errors()
        .replaceAll(/^.*watchdog.*$/gm, '')
        .slice(0, 2_000),
    )
    await arena.whole()
    return {
      ...{ answered, ringing, kills: [kill], survived: CALLS - wrong - cut, cut: { answered: cut, ringing: 0 } },
      lost: Array.from(
        { length: wrong },
        (_, i) => `${i + 1} of ${wrong}, ${at}: ${i === 0 ? story.join('\n') : 'see above'}`,
      ),
    }
  } finally {
    await Promise.all([caller.destroy(), callee.destroy()])
  }
}

function sum(outcomes: readonly Outcome[]): Outcome {
  const total = (of: (outcome: Outcome) => number): number => outcomes.reduce((all, one) => all + of(one), 0)
  return {
    answered: total(({ answered }) => answered),
    ringing: total(({ ringing }) => ringing),
    kills: outcomes.flatMap(({ kills }) => kills),
    survived: total(({ survived }) => survived),
    lost: outcomes.flatMap(({ lost }) => lost),
    cut: { answered: total(({ cut }) => cut.answered), ringing: total(({ cut }) => cut.ringing) },
  }
}
