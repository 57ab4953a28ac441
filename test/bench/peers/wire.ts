// What goes over the loopback between phones and a system, or within a system: tcpdump's files.

import { readFileSync, rmSync } from 'node:fs'
import { setTimeout as pause } from 'node:timers/promises'
import { readPackets } from '../../cluster/capture.ts'
import { until } from '../../cluster/poll.ts'
import { exitOf, startProgram } from '../../cluster/programs.ts'
import type { Packet } from '../../cluster/capture.ts'
import type { Program } from '../../cluster/programs.ts'

/** The kernel gives tcpdump what it has once a second. */
const FLUSH_MS = 1_500
/** Of the link, which the loopback only plays. */
const ETHERNET = 14

export interface Traffic {
  readonly packets: number
  /** With the headers of IP and TCP or UDP. */
  readonly bytes: number
}

export class Tap {
  readonly #program: Program
  readonly #file: string

  constructor(program: Program, file: string) {
    this.#program = program
    this.#file = file
  }

  async messages(): Promise<readonly Packet[]> {
    return [...readPackets(await this.#end())]
  }

  async traffic(): Promise<Traffic> {
    const file = await this.#end()
    let [packets, bytes] = [0, 0]
    for (let at = 24; at + 16 <= file.length; at += 16 + file.readUInt32LE(at + 8)) {
      packets++
      bytes += file.readUInt32LE(at + 12) - ETHERNET
    }
    return { packets, bytes }
  }

  async #end(): Promise<Buffer> {
    await pause(FLUSH_MS)
    this.#program.signal('SIGINT')
    await exitOf(this.#program, 'tcpdump', 10_000)
    const dropped = /(\d+) packets? dropped by kernel/.exec(this.#program.stderr())?.[1]
    if (dropped !== '0') throw new Error(`the capture is not whole: ${this.#program.stderr()}`)
    const file = readFileSync(this.#file)
    rmSync(this.#file)
    return file
  }
}

/** `bytes`: of each packet, from its beginning. Needs the right to capture. */
export async function tap(filter: string, file: string, bytes = 0): Promise<Tap> {
  const args = ['-i', 'lo', '-n', '-Z', 'root', '-B', '65536', '-s', `${bytes}`, '-w', file, filter]
  const program = startProgram('tcpdump', args)
  await until('tcpdump listens', 10_000, () => (program.stderr().includes('listening on') ? true : null))
  return new Tap(program, file)
}
