// What a process' loop, collector and memory did in a phase.

import { constants, monitorEventLoopDelay, PerformanceObserver } from 'node:perf_hooks'
import type { IntervalHistogram, NodeGCPerformanceDetail, PerformanceEntry } from 'node:perf_hooks'

/** Times in milliseconds, memory in megabytes. */
export interface Reading {
  readonly seconds: number
  /** How late a timer of one millisecond came (monitorEventLoopDelay). */
  readonly delay: { readonly p50: number; readonly p99: number; readonly p999: number; readonly most: number }
  /** Turns in processor time of their thread, in which other processes on the machine have no part: how many took more than
   * `longTurn`, and the longest. */
  readonly turns: { readonly long: number; readonly most: number }
  /** The collector: its share of the time, its longest pause, how often it went through the whole heap. */
  readonly collector: { readonly share: number; readonly most: number; readonly full: number }
  /** The most that was seen. */
  readonly memory: { readonly resident: number; readonly heap: number; readonly arrays: number }
  /** Of one processor. */
  readonly cpu: number
}

const MEGABYTE = 1 << 20
/** Milliseconds. */
export const longTurn = 20

/** An entry of type `gc`. */
type CollectorEntry = PerformanceEntry & { readonly detail: NodeGCPerformanceDetail }

export class Meter {
  readonly #delay: IntervalHistogram = monitorEventLoopDelay({ resolution: 1 })
  #from = performance.now()
  #cpu = process.cpuUsage()
  #paused = 0
  #longestPause = 0
  #full = 0
  #turns = { long: 0, most: 0 }
  #memory = { resident: 0, heap: 0, arrays: 0 }

  constructor() {
    this.#delay.enable()
    new PerformanceObserver((list) => {
      for (const { duration, detail } of list.getEntries() as CollectorEntry[]) {
        if (detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) this.#full++
        this.#paused += duration
        this.#longestPause = Math.max(this.#longestPause, duration)
      }
    }).observe({ entryTypes: ['gc'] })
    setInterval(() => this.#look(), 250).unref()
  }

  /** Does a turn's work, and measures it. */
  turn<T>(work: () => T): T {
    const before = process.threadCpuUsage()
    const result = work()
    const { user, system } = process.threadCpuUsage(before)
    const took = (user + system) / 1_000
    const { long, most } = this.#turns
    this.#turns = { long: took > longTurn ? long + 1 : long, most: Math.max(most, took) }
    return result
  }

  /** Of the time since the last one. */
  read(): Reading {
    this.#look()
    const seconds = (performance.now() - this.#from) / 1_000
    const { user, system } = process.cpuUsage(this.#cpu)
    const ms = (nanos: number): number => nanos / 1e6
    const at = (share: number): number => ms(this.#delay.percentile(share))
    const reading: Reading = {
      seconds,
      delay: { p50: at(50), p99: at(99), p999: at(99.9), most: ms(this.#delay.max) },
      turns: this.#turns,
      collector: { share: this.#paused / 1_000 / seconds, most: this.#longestPause, full: this.#full },
      memory: this.#memory,
      cpu: (user + system) / 1e6 / seconds,
    }
    this.#from = performance.now()
    this.#cpu = process.cpuUsage()
    this.#delay.reset()
    this.#paused = this.#longestPause = this.#full = 0
    this.#turns = { long: 0, most: 0 }
    this.#memory = { resident: 0, heap: 0, arrays: 0 }
    return reading
  }

  #look(): void {
    const { rss, heapUsed, arrayBuffers } = process.memoryUsage()
    const { resident, heap, arrays } = this.#memory
    this.#memory = {
      resident: Math.max(resident, rss / MEGABYTE),
      heap: Math.max(heap, heapUsed / MEGABYTE),
      arrays: Math.max(arrays, arrayBuffers / MEGABYTE),
    }
  }
}
