// What replicas say to each other for a call, headers of IP included: from a load's first call until half a minute after its last, less what
// they say at rest.

import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import { REST_MS, ratio, warmUp, whole, withSystems } from './section.ts'
import { barChart } from './svg.ts'
import { tap } from './wire.ts'
import type { Bench, Result } from './section.ts'
import type { Running, System } from './systems.ts'
import type { Traffic } from './wire.ts'

const RATE = 100
const SECONDS = 8
const IDLE_MS = 6_000
/** Headers are enough: it is counted what was sent. */
const HEADERS = 96

interface Said {
  readonly system: System
  readonly calls: number
  readonly lost: number
  /** For each call. */
  readonly packets: number
  readonly bytes: number
  /** Each second at rest. */
  readonly idle: Traffic
}

export async function bytes(bench: Bench): Promise<Result> {
  const { progress } = bench
  const systems = bench.systems.filter(({ name }) => name !== 'k1')
  progress.expect(systems.length * 3)
  const found: Said[] = []
  for (const system of systems) {
    await withSystems(bench, [system], async ([one]) => {
      const running = one as Running
      const filter = running.peerFilter
      if (filter === null) return
      await warmUp(bench, [running])
      progress.step(`${system.title}: calls`)
      await pause(REST_MS)
      const file = join(bench.folder, 'peers.pcap')
      const quiet = await tap(filter, file, HEADERS)
      const quietFrom = performance.now()
      await pause(IDLE_MS)
      const rest = await quiet.traffic()
      const quietSeconds = (performance.now() - quietFrom) / 1_000
      const idle = { packets: rest.packets / quietSeconds, bytes: rest.bytes / quietSeconds }
      const loud = await tap(filter, file, HEADERS)
      const from = performance.now()
      const { stats } = await bench.phones.load(running, { rate: RATE, seconds: SECONDS })
      progress.step(`${system.title}: what is left of the calls`)
      await pause(REST_MS)
      const all = await loud.traffic()
      const seconds = (performance.now() - from) / 1_000
      const each = (of: keyof Traffic): number => (all[of] - idle[of] * seconds) / stats.created
      const { created: calls, successful } = stats
      found.push({ system, calls, lost: calls - successful, packets: each('packets'), bytes: each('bytes'), idle })
    })
  }
  const of = (name: string): number[] | undefined =>
    found.filter(({ system }) => system.name === name).map((said) => said.bytes)
  const rows = found.map((said) => [
    said.system.title,
    whole(said.bytes),
    ratio([said.bytes], of('k3-3')),
    said.packets.toFixed(1),
    `${whole(said.idle.bytes)} in ${whole(said.idle.packets)}`,
    `${said.calls}, ${said.lost}`,
  ])
  const bars = found.map((said) => ({ label: said.system.title, parts: [said.bytes] }))
  return {
    title: 'What replicas say to each other',
    tables: [
      {
        head: [
          `${RATE} calls/s`,
          'bytes a call',
          '/ K3-3',
          'packets a call',
          'at rest, bytes a second, in packets',
          'calls, lost',
        ],
        rows,
      },
    ],
    notes: ["Ours is TLS over TCP; on the loopback a packet may be as long as 64 kB. K3-3's is SIP over UDP."],
    pictures: { bytes: barChart({ title: 'Bytes between replicas, of a call', unit: 'bytes', bars }) },
    raw: found.map((said) => ({ ...said, system: said.system.name })),
  }
}
