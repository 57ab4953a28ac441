// One second of a set, out of what its replicas answer to `GET /glance` and of the events that came meanwhile: the row of each replica,
// what the set holds, and the next point of each plot. It keeps what the next second is compared with, and no clock.

import { Histogram, quantile } from '../base/histogram.ts'
import type { Counts, Point, ReplicaRow, Tick, TimerRow } from './page/shapes.ts'

/** What is read of a replica's answer (replica/admin.ts); another release's may lack something. */
export interface Glance {
  readonly status: GlanceStatus
  readonly upcoming?: readonly TimerRow[]
  readonly commitTimes?: readonly number[]
}

interface GlanceStatus {
  readonly replica: number
  readonly life: string
  readonly role: string
  readonly term: number
  readonly epoch: number
  readonly commitIndex: number
  readonly appliedIndex: number
  readonly serving: readonly { readonly id: number; readonly life: string }[]
  readonly detached: boolean
  readonly draining?: boolean
  readonly groups: number
  readonly entities: number
  readonly calls: { readonly early: number; readonly confirmed: number }
  readonly timers: { readonly pending: number }
  readonly intents: { readonly open: number }
}

/** What one replica answered, or why it did not. */
export interface Asked {
  readonly id: number
  readonly pid: number | null
  readonly glance: Glance | null
  readonly trouble: string
}

export class LiveSample {
  /** Commit times by life, as they were: each life counts anew. */
  #before = new Map<string, readonly number[]>()
  #setup = new Histogram()
  #started = 0
  readonly #endings = new Map<string, number>()
  #last: number | null = null

  /** An event of EVENTS.md. */
  event(kind: string, fields: Readonly<Record<string, unknown>>): void {
    const [started, answered, cause] = [fields['started'], fields['answered'], fields['cause']]
    if (kind === 'call-started') this.#started++
    if (kind === 'call-answered' && typeof started === 'number' && typeof answered === 'number') {
      this.#setup.add(Math.max(0, answered - started))
    }
    if (kind === 'call-ended' && typeof cause === 'string') {
      this.#endings.set(cause, (this.#endings.get(cause) ?? 0) + 1)
    }
  }

  /** `at`: now, milliseconds. */
  take(asked: readonly Asked[], at: number): Tick {
    const answers = asked.flatMap(({ glance }) => (glance === null ? [] : [glance]))
    const first = nearest(answers)
    const committed = Math.max(0, ...answers.map(({ status }) => status.commitIndex))
    const seconds = this.#last === null ? 1 : Math.max(0.001, (at - this.#last) / 1_000)
    this.#last = at
    return {
      at,
      replicas: asked.map((one) => rowOf(one, first, committed)),
      counts: first === null ? null : countsOf(first.status),
      timers: first?.upcoming ?? [],
      point: this.#point(answers, first, at, seconds),
      endings: [...this.#endings].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)),
    }
  }

  #point(answers: readonly Glance[], first: Glance | null, at: number, seconds: number): Point {
    const commits = this.#commits(answers)
    const setup = this.#setup.counts
    const started = this.#started / seconds
    this.#setup = new Histogram()
    this.#started = 0
    return {
      at,
      early: first?.status.calls.early ?? 0,
      confirmed: first?.status.calls.confirmed ?? 0,
      started,
      commits: commits.reduce((sum, count) => sum + count, 0) / seconds,
      setup50: millis(quantile(setup, 0.5)),
      setup95: millis(quantile(setup, 0.95)),
      commit50: millis(quantile(commits, 0.5)),
      commit99: millis(quantile(commits, 0.99)),
    }
  }

  /** Those of all replicas since the last look. Of a life that is seen for the first time nothing is known to be new. */
  #commits(answers: readonly Glance[]): readonly number[] {
    const now = new Map(answers.map(({ status, commitTimes }) => [status.life, commitTimes ?? []]))
    const sums: number[] = []
    for (const [life, counts] of now) {
      const before = this.#before.get(life)
      if (before === undefined) continue
      for (const [i, count] of counts.entries()) sums[i] = (sums[i] ?? 0) + count - (before[i] ?? 0)
    }
    this.#before = now
    return sums
  }
}

/** Who knows most: the leader of the newest term, else who has applied most. */
function nearest(answers: readonly Glance[]): Glance | null {
  const leaders = answers.filter(({ status }) => status.role === 'leader' && !status.detached)
  const newest = (a: Glance, b: Glance): number =>
    b.status.term - a.status.term || b.status.appliedIndex - a.status.appliedIndex
  return [...leaders].sort(newest)[0] ?? [...answers].sort(newest)[0] ?? null
}

function rowOf({ id, pid, glance, trouble }: Asked, first: Glance | null, committed: number): ReplicaRow {
  const serving = first?.status.serving ?? []
  const life = serving.find((one) => one.id === id)?.life ?? ''
  if (glance === null) {
    const nothing = { role: '', term: 0, epoch: 0, applied: 0, lag: 0, detached: false, draining: false }
    return { id, pid, trouble, ...nothing, life, serves: life !== '' }
  }
  const { status } = glance
  return {
    ...{ id, pid, trouble: null, role: status.role, term: status.term, epoch: status.epoch, life: status.life },
    applied: status.appliedIndex,
    lag: Math.max(0, committed - status.appliedIndex),
    serves: serving.some((one) => one.life === status.life),
    detached: status.detached,
    draining: status.draining === true,
  }
}

function countsOf({ calls, groups, entities, timers, intents }: GlanceStatus): Counts {
  const { early, confirmed } = calls
  return { early, confirmed, groups, entities, timers: timers.pending, intents: intents.open }
}

function millis(micros: number | null): number | null {
  return micros === null ? null : Math.round(micros / 10) / 100
}
