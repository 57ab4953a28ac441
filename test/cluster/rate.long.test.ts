// 300 calls a second for a minute, and every 10 s a replica is killed that chance picks: none is lost. Prints what the deaths cost.

import { describe, expect, test } from 'vitest'
import { expectAllCalls, expectNothingLeft } from './expectations.ts'
import { until } from './poll.ts'
import { processorSeconds } from './programs.ts'
import { inScene, phones } from './scene.ts'
import { missingTools } from './sipp.ts'
import type { ReplicaSet } from './replica-set.ts'
import type { ResponseTime, Sipp } from './sipp.ts'

const missing = missingTools()
if (missing !== null) console.warn(`skipped, calls with SIPp: ${missing}`)

const RATE = 300
const SECONDS = 60
const EVERY_SECONDS = 10

interface Kill {
  /** Of the wall clock, as SIPp's. */
  readonly at: number
  readonly replica: number
  readonly led: boolean
  readonly owned: number
}

/** The processor time of replicas, whose processes come and go: asked often, it is what each had when it was last seen. */
class Processors {
  readonly #seconds = new Map<number, number>()

  look(set: ReplicaSet): void {
    for (const id of set.ids) {
      const seconds = processorSeconds(set.pid(id))
      if (seconds !== null) this.#seconds.set(set.pid(id), seconds)
    }
  }

  get total(): number {
    return [...this.#seconds.values()].reduce((sum, seconds) => sum + seconds, 0)
  }
}

describe.skipIf(missing !== null)(`${RATE} calls a second for ${SECONDS} s on UDP`, () => {
  test(`a replica is killed every ${EVERY_SECONDS} s: 0 lost`, async () => {
    await inScene(94, async (scene) => {
      const calls = RATE * SECONDS
      const set = await scene.set({ restart: '2' })
      await set.statuses('all three serve', 15_000, ({ serving }) => serving.length === 3)
      const processors = new Processors()
      processors.look(set)
      const atRest = processors.total
      const load = await scene.load({
        phones: phones.timed,
        transport: 'un',
        rate: RATE,
        calls,
        holdMs: 1_000,
        responseTimes: true,
      })
      const kills: Kill[] = []
      for (let second = EVERY_SECONDS; second < SECONDS; second += EVERY_SECONDS) {
        await until(`${RATE * second} calls begun`, 2_000 * EVERY_SECONDS, () => {
          processors.look(set)
          return load.caller.stats().created >= RATE * second ? true : null
        })
        const replica = set.ids[Math.floor(Math.random() * set.ids.length)] as number
        const owned = (await set.owned(replica)).get(replica) ?? 0
        processors.look(set)
        set.kill(replica)
        kills.push({ at: Date.now(), replica, led: set.leader === replica, owned })
      }
      await load.caller.reaches('the last call', 40_000, ({ created }) => created >= calls)
      processors.look(set)
      await load.caller.finished(60_000)
      processors.look(set)
      console.log(table(kills, load))
      await expectAllCalls(load, calls, { deadlineMs: 1_000, retransmissions: 'allowed' })
      const each = Math.round(((processors.total - atRest) * 1_000_000) / calls)
      console.log(
        `${calls} of ${calls}; processor time of all replicas: ${each} µs a call, starts and restarts included`,
      )
      expect(set.events.filter(({ event }) => event === 'exit')).toHaveLength(kills.length)
      await set.statuses('all three serve', 30_000, ({ serving }) => serving.length === 3)
      await expectNothingLeft(set)
    })
  })
})

/** For each death what came after it, and what a second without one is like. */
function table(kills: readonly Kill[], { caller, callee }: { caller: Sipp; callee: Sipp }): string {
  const times = caller.responseTimes()
  const [again, there] = [caller.retransmissions(), callee.retransmissions()]
  const between = (rows: typeof again, from: number, to: number): number =>
    rows.filter(([at]) => at > from && at <= to).reduce((sum, [, count]) => sum + count, 0)
  const rows = [
    [
      'kill',
      'owned',
      'retransmissions (caller, callee)',
      'INVITE-200 p50/p99/max',
      'BYE-200 p50/p99/max',
      'first answer',
    ],
  ]
  const row = (name: string, owned: string, from: number, to: number, first: string): void => {
    const sent = times.filter(({ sentAt }) => sentAt >= from && sentAt < to)
    const retransmissions = `${between(again, from, from + 9_000)}, ${between(there, from, from + 9_000)}`
    rows.push([name, owned, retransmissions, spread(sent, 1), spread(sent, 2), first])
  }
  for (const { at, replica, led, owned } of kills) {
    const answered = times.filter(({ sentAt }) => sentAt >= at).map(({ sentAt, tookMs }) => sentAt + tookMs - at)
    const first = answered.reduce((least, value) => Math.min(least, value), Infinity)
    row(`${replica}${led ? ', the leader' : ''}`, `${owned}`, at, at + 500, `${Math.round(first)} ms`)
  }
  const calm = (kills[0] as Kill).at - 6_000
  row('(none)', '', calm, calm + 5_000, '')
  const widths = (rows[0] as string[]).map((_, column) =>
    Math.max(...rows.map((cells) => (cells[column] as string).length)),
  )
  return [
    'Answer times in ms of requests sent within 500 ms after the kill; retransmissions within 9 s:',
    ...rows.map((cells) => cells.map((cell, column) => cell.padEnd(widths[column] as number)).join('  ')),
  ].join('\n')
}

function spread(times: readonly ResponseTime[], timer: number): string {
  const sorted = times.filter((one) => one.timer === timer).map(({ tookMs }) => tookMs)
  sorted.sort((a, b) => a - b)
  const at = (part: number): number =>
    Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * part))] ?? 0)
  return sorted.length === 0 ? '-' : `${at(0.5)} / ${at(0.99)} / ${at(1)} (${sorted.length})`
}
