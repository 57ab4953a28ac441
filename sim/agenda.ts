// Virtual time: what happens next, ordered by (true time, order of scheduling). True time is integer microseconds since the
// world began; only the simulator and its checkers see it, replicas see their own clocks.

import { assert } from '../src/base/assert.ts'

/** Something that will happen unless it is cancelled. */
export interface Appointment {
  readonly at: number
  readonly sequence: number
  run: (() => void) | null
}

export class Agenda {
  readonly #heap: Appointment[] = []
  #now = 0
  #sequence = 0
  #done = 0

  /** True time. */
  get now(): number {
    return this.#now
  }

  /** How many events have happened. */
  get done(): number {
    return this.#done
  }

  /** Schedules `run`; what is scheduled for the past happens now, after all that was scheduled for now. */
  at(time: number, run: () => void): Appointment {
    assert(Number.isSafeInteger(time), 'time is integer microseconds')
    const appointment: Appointment = { at: Math.max(time, this.#now), sequence: ++this.#sequence, run }
    this.#push(appointment)
    return appointment
  }

  after(us: number, run: () => void): Appointment {
    return this.at(this.#now + us, run)
  }

  cancel(appointment: Appointment | null): void {
    if (appointment !== null) appointment.run = null
  }

  /** Lets time pass until `end`, or until `stop` says so (asked after each event). */
  runUntil(end: number, stop: () => boolean): void {
    for (;;) {
      const next = this.#heap[0]
      if (next === undefined || next.at > end) break
      this.#pop()
      if (next.run === null) continue
      this.#now = next.at
      this.#done++
      next.run()
      if (stop()) return
    }
    this.#now = end
  }

  #push(appointment: Appointment): void {
    const heap = this.#heap
    let at = heap.length
    heap.push(appointment)
    while (at > 0) {
      const parent = (at - 1) >> 1
      if (before(heap[parent] as Appointment, appointment)) break
      heap[at] = heap[parent] as Appointment
      at = parent
    }
    heap[at] = appointment
  }

  #pop(): void {
    const heap = this.#heap
    const last = heap.pop() as Appointment
    if (heap.length === 0) return
    let at = 0
    for (;;) {
      let child = at * 2 + 1
      if (child >= heap.length) break
      if (child + 1 < heap.length && before(heap[child + 1] as Appointment, heap[child] as Appointment)) child++
      if (before(last, heap[child] as Appointment)) break
      heap[at] = heap[child] as Appointment
      at = child
    }
    heap[at] = last
  }
}

function before(a: Appointment, b: Appointment): boolean {
  return a.at < b.at || (a.at === b.at && a.sequence < b.sequence)
}
