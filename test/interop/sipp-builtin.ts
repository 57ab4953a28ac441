// SIPp's own scenarios, as they are, on both ends: `uac` and `regexp` call, `uas` is called. They can't be told what to do, so calls
// run all the time, and each replica is killed while some are up; the ones that ring while a replica dies are called by `uac`
// and answered by a scenario of ours, since `uas` answers at once. SIPp's own count says what became of each.

import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { startCallee, startCaller } from '../cluster/sipp.ts'
import type { SippOptions, SippTransport } from '../cluster/sipp.ts'
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

export function sippSoftware(role: keyof typeof batches, socket: SippTransport, slot: number): Software {
  const transport = socket.startsWith('u') ? 'udp' : 'tcp'
  return {
    ...{ name: 'sipp', role, transport, slot },
    missing: () => missingPrograms(['sipp'], 'sip-tester'),
    version: () => versionOf('sipp', ['-v']),
    run: (slot) =>
      inArena(slot, `127.66.${slot}.200:5070`, async (arena) => {
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
  const at = `${batch.phase}-${victim}`
  const transport = socket.startsWith('t') ? 't1' : 'u1'
  const callee = await startCallee({
    ...{ local: place.callee, folder: join(arena.folder, `callee-${at}`), transport, scenario: batch.callee },
    holdMs: batch.phase === 'early' ? HOLD_MS : 0,
  })
  const caller = await startCaller({
    ...{ local: place.caller, folder: join(arena.folder, `caller-${at}`), transport: socket, scenario: batch.caller },
    ...{ holdMs: batch.phase === 'early' ? 0 : HOLD_MS, remote: place.sip, calls: CALLS, rate: 20 },
  })
  try {
    await set.statuses(`${CALLS} calls are ${batch.phase}`, 20_000, ({ calls }) => calls[batch.phase] === CALLS)
    const kill: Kill = await arena.kill(victim)
    const stats = await caller.finished(90_000)
    // One whose ACK died with a replica repeats its 200 for up to 32 s.
    await callee.reaches('all calls end', 45_000, ({ successful, failed }) => successful + failed >= CALLS)
    const wrong = Math.max(stats.failed, callee.stats().failed)
    const story = [caller, callee]
      .map((phone) =>
        phone
          .errors()
          .replaceAll(/^.*watchdog.*$/gm, '')
          .slice(0, 2_000),
      )
      .join('\n')
    await arena.whole()
    return {
      ...{ answered: batch.phase === 'early' ? 0 : CALLS, ringing: batch.phase === 'early' ? CALLS : 0 },
      ...{ kills: [kill], survived: CALLS - wrong, cut: 0 },
      lost: Array.from({ length: wrong }, (_, i) => `${i + 1} of ${wrong}, ${at}: ${i === 0 ? story : 'see above'}`),
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
    cut: 0,
  }
}
