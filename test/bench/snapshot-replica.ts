// One replica of the snapshot benchmark, as a process: the shipping host and replica, with a load where it leads.

import { pino } from 'pino'
import { ReplicaProcess } from '../../src/host/replica-process.ts'
import type { ReplicaStart } from '../../src/host/replica-process.ts'
import type { Effect } from '../../src/replica/effect.ts'
import { Replica } from '../../src/replica/replica.ts'
import { LoadDoor } from './load-door.ts'
import type { Done, Order } from './load-door.ts'
import { Meter } from './meter.ts'
import type { Reading } from './meter.ts'

export type ToReplica =
  | { readonly kind: 'start'; readonly start: ReplicaStart }
  | { readonly kind: 'load'; readonly order: Order | null }
  /** Answered with a `reading` of the time since the last one. */
  | { readonly kind: 'read' }

export interface Status {
  readonly leads: boolean
  readonly applied: number
  readonly entities: number
  readonly serving: number
  readonly isFilled: boolean
  /** Bytes of records since the last snapshot of its own began. */
  readonly written: number
  readonly snapshots: { readonly begun: number; readonly finished: number; readonly installed: number }
  readonly resident: number
}

export type FromReplica =
  | { readonly kind: 'status'; readonly status: Status }
  | { readonly kind: 'reading'; readonly reading: Reading; readonly done: Done }
  | { readonly kind: 'failed'; readonly reason: string }

const log = pino({ level: process.env['BENCH_LOG'] ?? 'warn' })
const meter = new Meter()
const snapshots = { begun: 0, finished: 0, installed: 0 }
let written = 0
let replica: Replica | null = null
let door: LoadDoor | null = null

function tell(message: FromReplica): void {
  process.send?.(message)
}

function seen(effect: Effect): void {
  if (effect.kind === 'persist') for (const { length } of effect.records) written += length
  if (effect.kind === 'log' && effect.code === 'snapshot') snapshots.finished++
  if (effect.kind === 'log' && effect.code === 'snapshot-installed') snapshots.installed++
  if (effect.kind !== 'snapshot' || effect.piece.kind !== 'begin') return
  snapshots.begun++
  written = 0
}

function status(): void {
  if (replica === null || door === null) return
  const { store, raft } = replica
  const { entities } = store.counts()
  const serving = store.serving().members.length
  const { isFilled } = door
  const resident = process.memoryUsage.rss() / (1 << 20)
  const applied = store.appliedIndex
  tell({
    kind: 'status',
    status: {
      leads: raft.isLeader,
      applied,
      entities,
      serving,
      isFilled,
      written,
      snapshots: { ...snapshots },
      resident,
    },
  })
}

function start(order: ReplicaStart): void {
  const running = new ReplicaProcess(order, {
    log,
    makeReplica: (options) => {
      replica = new Replica(options)
      door = new LoadDoor(replica, options.id, meter, seen)
      return door
    },
    report: () => undefined,
    end: ({ reason }) => {
      tell({ kind: 'failed', reason })
      setTimeout(() => process.exit(1), 100)
    },
  })
  void running.run()
  setInterval(status, 100)
}

process.on('message', (message: ToReplica) => {
  switch (message.kind) {
    case 'start':
      return start(message.start)
    case 'load':
      return door?.obey(message.order)
    case 'read':
      return tell({ kind: 'reading', reading: meter.read(), done: door?.take() ?? { commits: 0, lost: 0, times: [] } })
  }
})
// Its parent is gone.
process.on('disconnect', () => process.exit(0))
