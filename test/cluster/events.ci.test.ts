// One record a call, and the same events everywhere (decision 0032), with real processes: consumers follow a set while the replicas that
// they listen to are killed with -9, and while logs are compacted behind snapshots.

import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { expectAllCalls } from './expectations.ts'
import { until } from './poll.ts'
import { exitOf } from './programs.ts'
import type { Program } from './programs.ts'
import { holdfast } from './replica-set.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

interface Told {
  readonly id: string
  readonly event: string
  readonly callId: string
  readonly cause: string
  readonly by: string
  readonly status: number
}

const lines = (program: Program): readonly Told[] =>
  program
    .stdout()
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Told)

describe.skipIf(missing !== null)('events', () => {
  test('every call has one record, though each replica that tells of it is killed', async () => {
    await inScene(232, async (scene) => {
      const set = await scene.set({
        restart: '1',
        data: join(scene.folder, 'set'),
        compaction: { every: 100_000, kept: 100 },
      })
      const { admin } = scene.place
      const at = (id: number): string => admin.replace(/\d+$/, (port) => String(Number(port) + id))
      const records = holdfast(['cdr', '--follow', '--json', '--admin', [1, 2, 3].map(at).join(',')])
      const behindUp = holdfast(['events', '--follow', '--admin', admin])
      try {
        const calls = 60
        const load = await scene.load({ phones: phones.routed, transport: 'un', rate: 20, calls, holdMs: 1_000 })
        // Both begin with the first one; each kill moves them on.
        await until('records come', 20_000, () => (lines(records).length > 5 ? true : null))
        set.kill(1)
        await load.caller.reaches('45 calls begun', 20_000, ({ created }) => created >= 45)
        set.kill(2)
        await expectAllCalls(load, calls, { deadlineMs: 30_000, retransmissions: 'allowed' })
        const told = await until('all records come', 10_000, () =>
          lines(records).length >= calls ? lines(records) : null,
        )
        expect(records.stderr()).toContain('the next one is asked')
        expect(new Set(told.map(({ callId }) => callId)).size).toBe(calls)
        expect(told).toHaveLength(calls)
        expect(new Set(told.map(({ cause, by, status }) => `${cause} ${by} ${status}`))).toEqual(
          new Set(['bye caller 200']),
        )
        await until('all is told behind up', 10_000, () =>
          lines(behindUp).filter(({ event }) => event === 'call-ended').length >= calls ? true : null,
        )
        const events = lines(behindUp)
        expect(events.filter(({ event }) => event === 'call-ended').map(({ id }) => id)).toEqual(
          told.map(({ id }) => id),
        )
        // Those that were killed tell the same, from the beginning on.
        const tellsAll = async (id: number): Promise<void> => {
          const again = await until(`replica ${id} tells all`, 15_000, async () => {
            const program = holdfast(['events', '--admin', at(id)])
            await exitOf(program, 'holdfast events', 10_000)
            return lines(program).length >= events.length ? lines(program) : null
          })
          expect(again).toEqual(events)
        }
        await Promise.all(set.ids.map(tellsAll))
      } finally {
        for (const program of [records, behindUp]) {
          program.signal('SIGTERM')
          await program.exit
        }
      }
    })
  })
})
