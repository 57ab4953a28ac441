// The snapshots of one life, as src/host/snapshot-files.ts writes them: one piece at a time, each answered; a whole one is synced,
// renamed, its folder synced, and only then what it replaces goes, file by file. A crash may come between any two of these.

import { unreachable } from '../src/base/assert.ts'
import type { SnapshotMetadata } from '../src/raft/message.ts'
import type { SnapshotWrite } from '../src/replica/effect.ts'
import type { SnapshotInput } from '../src/replica/input.ts'
import type { Agenda } from './agenda.ts'
import type { Disk } from './disk.ts'
import type { Work } from './machine-watch.ts'

export interface SnapshotWriterParts {
  readonly agenda: Agenda
  readonly disk: Disk
  /** How long a write takes that isn't synced, and a sync. */
  writeTime(): number
  syncTime(): number
  /** Whatever is done next is done by a process, which may be stopped. */
  whenAwake(go: () => void): void
  /** Here the process may die. */
  moment(work: Work): void
  /** From now on a start goes on from that snapshot, and reads so many records less. */
  stands(metadata: SnapshotMetadata, dropped: number): void
  answer(input: SnapshotInput): void
}

interface Waiting {
  readonly effect: SnapshotWrite
  readonly work: Work
}

export class SnapshotWriter {
  readonly #parts: SnapshotWriterParts
  #waiting: Waiting[] = []
  #busy = false
  #over = false

  constructor(parts: SnapshotWriterParts) {
    this.#parts = parts
  }

  write(effect: SnapshotWrite, work: Work): void {
    this.#waiting.push({ effect, work })
    if (!this.#busy) this.#next()
  }

  /** The process is dead: nothing more is written or told. */
  close(): void {
    this.#over = true
    this.#waiting = []
  }

  #next(): void {
    const next = this.#waiting.shift()
    this.#busy = next !== undefined
    if (next === undefined) return
    const { effect, work } = next
    const steps = this.#stepsOf(effect)
    const step = (at: number): void => {
      const todo = steps[at]
      if (todo === undefined) return this.#next()
      this.#later(todo.after, () => {
        this.#parts.moment(work)
        if (this.#over) return
        this.#parts.whenAwake(() => {
          if (this.#over) return
          const answer = todo.go()
          if (answer === 'on') return step(at + 1)
          if (answer === 'again') return step(at)
          this.#parts.answer({ kind: 'snapshot', number: effect.number, ...answer })
          this.#next()
        })
      })
    }
    step(0)
  }

  /** Each with the time before it; one that answers is the last. */
  #stepsOf({ piece }: SnapshotWrite): readonly Step[] {
    const { disk, writeTime, syncTime, stands } = this.#parts
    const { snapshots } = disk
    let metadata: SnapshotMetadata | null = null
    switch (piece.kind) {
      case 'begin':
        return [{ after: writeTime(), go: () => this.#unlessFull(() => (snapshots.begin(piece.metadata), true)) }]
      case 'parts':
        return [{ after: writeTime(), go: () => this.#unlessFull(() => snapshots.add(piece.parts)) }]
      case 'abandon':
        return [{ after: writeTime(), go: () => (snapshots.abandon(), written) }]
      case 'finish':
        if (!snapshots.isBegun) return [{ after: 0, go: () => failed('the snapshot was given up') }]
        return [
          { after: syncTime(), go: () => ((metadata = disk.nameSnapshot()), 'on') },
          {
            after: syncTime(),
            go: () => {
              const dropped = disk.settleSnapshot()
              if (metadata !== null) stands(metadata, dropped)
              return 'on'
            },
          },
          { after: writeTime(), go: () => (disk.tidy() ? 'again' : { outcome: 'finished', reason: '' }) },
        ]
      default:
        return unreachable(piece)
    }
  }

  #unlessFull(write: () => boolean): Answer {
    const { disk } = this.#parts
    if (!disk.isFull) return write() ? written : failed('the snapshot was given up')
    disk.snapshots.abandon()
    return failed('the disk is full')
  }

  #later(us: number, go: () => void): void {
    this.#parts.agenda.after(us, () => {
      if (!this.#over) go()
    })
  }
}

type Answer = Pick<SnapshotInput, 'outcome' | 'reason'>

interface Step {
  readonly after: number
  readonly go: () => Answer | 'on' | 'again'
}

const written: Answer = { outcome: 'written', reason: '' }

function failed(reason: string): Answer {
  return { outcome: 'failed', reason }
}
