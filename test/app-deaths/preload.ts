// Loaded into each process of the set by `node --import`: ends a replica between the turn of a handler and what comes of it. It
// wraps what Node has there, an answer of a worker that comes in and a datagram that is to leave; the program knows nothing of it.

import { ChildProcess } from 'node:child_process'
import { Socket } from 'node:dgram'
import { writeFileSync } from 'node:fs'
import { DEATHS, ORDER_HEADER, callIn } from './order.ts'
import type { Order } from './order.ts'

type Death = Extract<Order, { kind: 'die' }>
type Emit = (event: string | symbol, ...args: unknown[]) => boolean
type SendDatagram = (...args: unknown[]) => void

/** A machine at its limit: what has not come by then doesn't come. */
const PATIENCE_MS = 3_000

/** Answers that the replica doesn't have yet. */
const answers: (() => void)[] = []
/** Calls whose messages were about to leave. */
const held = new Set<string>()
let armed: Death | null = null

function die(calls: number): void {
  writeFileSync(process.env[DEATHS] ?? '', `${process.pid} ${calls}\n`, { flag: 'a' })
  process.kill(process.pid, 'SIGKILL')
}

/** A handler's result is its order, and that of a page has it in a header. */
interface Answered {
  readonly kind?: unknown
  readonly answer?: { readonly result?: Order | PageResult | null }
}

interface PageResult {
  readonly kind: 'response'
  readonly response: { readonly headers: readonly (readonly [name: string, value: string])[] }
}

function orderOf(message: unknown): Death | null {
  const { kind, answer } = (message ?? {}) as Answered
  const result = kind === 'answered' ? answer?.result : null
  if (result?.kind === 'die') return result
  if (result?.kind !== 'response') return null
  const header = result.response.headers.find(([name]) => name.toLowerCase() === ORDER_HEADER)
  const order = header === undefined ? null : (JSON.parse(header[1]) as Order)
  return order?.kind === 'die' ? order : null
}

const emit = ChildProcess.prototype.emit as Emit
ChildProcess.prototype.emit = function (this: ChildProcess, event: string | symbol, ...args: unknown[]): boolean {
  const deliver = (): boolean => emit.call(this, event, ...args)
  const order = event === 'message' ? orderOf(args[0]) : null
  if (order === null) return deliver()
  answers.push(deliver)
  if (answers.length === 1) setTimeout(() => reached(order), PATIENCE_MS)
  if (answers.length === order.calls) reached(order)
  return true
} as Emit

/** All answers are here: they are read in one turn. */
function reached(order: Death): void {
  if (armed !== null) return die(held.size)
  if (order.at === 'arrived') return die(answers.length)
  armed = order
  for (const deliver of answers) deliver()
  // The end of that turn comes first: it was asked for before.
  if (order.at === 'proposed') setImmediate(() => die(answers.length))
  else setTimeout(() => die(held.size), PATIENCE_MS)
}

const send = Socket.prototype.send as SendDatagram
Socket.prototype.send = function (this: Socket, ...args: unknown[]): void {
  const [data] = args
  const call =
    armed !== null && data instanceof Uint8Array ? callIn(Buffer.from(data).toString('latin1'), armed.wave) : null
  if (armed === null || call === null) return send.call(this, ...args)
  held.add(call)
  if (held.size === armed.calls) die(held.size)
} as SendDatagram
