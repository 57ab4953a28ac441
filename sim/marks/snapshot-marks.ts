// Marks of snapshots: their own, those sent and those installed, and what befalls replicas meanwhile.

import type { SnapshotMetadata } from '../../src/raft/message.ts'
import type { Effect } from '../../src/replica/effect.ts'
import type { Input } from '../../src/replica/input.ts'
import type { Frame } from '../../src/wire/frame.ts'
import type { Checker } from '../checkers/checker.ts'
import type { Machine } from '../machine.ts'
import type { Marks } from './coverage.ts'

interface Known {
  /** Pieces of its own snapshot are being written, or a leader's. */
  writes: 'own' | 'received' | null
  /** Installed, and not durable yet. */
  installs: boolean
  /** A snapshot that it sends has more pieces to come. */
  sends: boolean
}

export class SnapshotMarks implements Checker {
  readonly #marks: Marks
  readonly #known = new Map<number, Known>()

  constructor(marks: Marks) {
    this.#marks = marks
  }

  started(machine: Machine): void {
    this.#known.set(machine.id, { writes: null, installs: false, sends: false })
    this.#marks.reached('started-from-a-snapshot', machine.disk.snapshots.metadata !== null)
  }

  died(machine: Machine): void {
    const known = this.#known.get(machine.id)
    if (known === undefined) return
    this.#marks.reached('died-cutting', known.writes === 'own')
    this.#marks.reached('died-receiving', known.writes === 'received' || known.installs)
    this.#marks.reached('died-installing', known.installs)
    this.#marks.reached('died-sending', known.sends)
    this.#known.delete(machine.id)
  }

  stepped(machine: Machine, input: Input, effects: readonly Effect[]): void {
    const known = this.#known.get(machine.id)
    if (known === undefined) return
    for (const effect of effects) {
      if (effect.kind === 'log') this.#said(known, effect.code)
      if (effect.kind !== 'snapshot') continue
      if (effect.piece.kind === 'abandon') known.writes = null
      else if (effect.piece.kind === 'begin') known.writes = input.kind === 'peer' ? 'received' : 'own'
    }
    this.#marks.reached('deposed-sending', known.sends && machine.replica?.raft.isLeader === false)
    if (machine.replica?.raft.isLeader !== true) known.sends = false
  }

  snapshotStands(machine: Machine, _metadata: SnapshotMetadata): void {
    const known = this.#known.get(machine.id)
    if (known === undefined) return
    known.writes = null
    known.installs = false
  }

  frameLeaving(machine: Machine, frame: Frame): void {
    const known = this.#known.get(machine.id)
    if (known === undefined) return
    if (frame.kind === 'snapshot') {
      known.sends = true
      this.#marks.reached('snapshot-sent', frame.number === 1)
      this.#marks.reached('snapshot-in-pieces', frame.number === 2)
    }
    if (frame.kind === 'raft' && frame.messages.some(({ kind }) => kind === 'snapshot')) known.sends = false
  }

  #said(known: Known, code: string): void {
    this.#marks.reached('snapshot-finished', code === 'snapshot')
    this.#marks.reached('snapshot-abandoned', code === 'snapshot-abandoned')
    this.#marks.reached('snapshot-installed', code === 'snapshot-installed')
    if (code === 'snapshot-installed') known.installs = true
  }
}
