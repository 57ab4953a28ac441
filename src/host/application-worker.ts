// A worker process of one version of one application: loads its module, brings calls to its handlers, sends back what they did.
// Nothing of the replica is in here; what an application breaks in its process, it breaks for itself.
//
// The code that is loaded is kept as text and goes to the replica with `loaded`: a worker that is started again after a
// crash runs the same code, whatever lies on the disk by then.

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { registerHooks } from 'node:module'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { getHeapStatistics } from 'node:v8'
import { Worker } from 'node:worker_threads'
import type { AppAnswer, AppCall, HandlerName } from '../app/contract.ts'
import { isApplication } from '../servlet/application.ts'
import type { Application } from '../servlet/application.ts'
import { failed, runHandler } from '../servlet/run-handler.ts'
import type { BegunTurn } from '../servlet/run-handler.ts'
import { answerHttp } from './http-turn.ts'
import type { Lookup, LookupAnswer, Order, OrderAnswer } from '../app/orders.ts'
import type { SessionPorts } from '../servlet/other-sessions.ts'
import { hostLimits } from './limits.ts'
import { ownCode, ownModule } from './own-modules.ts'
import type { SessionAnswer, SessionQuestion } from './session-questions.ts'

/** One file of an application's code, as it was read. */
export interface CodeFile {
  readonly url: string
  readonly format: string
  readonly text: string
}

export interface WorkerOrder {
  /** Path of the module. */
  readonly module: string
  /** Which of the applications that it exports; null = the only one. */
  readonly name: string | null
  readonly memoryMb: number
  /** What is run instead of what lies on the disk; null = what lies there. */
  readonly code: readonly CodeFile[] | null
}

export interface LoadedApplication {
  readonly name: string
  /** As it says, else its code's hash. */
  readonly version: string
  readonly handlers: readonly HandlerName[]
  readonly hash: string
  readonly code: readonly CodeFile[]
}

export type ToWorker =
  /** The first. */
  | { readonly kind: 'order'; readonly order: WorkerOrder }
  /** In the order in which the replica asks. Each is answered by itself, so that none waits for the handlers of those behind it. */
  | { readonly kind: 'calls'; readonly calls: readonly AppCall[] }
  /** The answer to a `question`. */
  | { readonly kind: 'told'; readonly number: number; readonly answer: SessionAnswer }
  /** Answered with `pong`, by a loop that runs. */
  | { readonly kind: 'ping' }

export type FromWorker =
  /** It has its order, and loads the module now. */
  | { readonly kind: 'begun' }
  | { readonly kind: 'loaded'; readonly application: LoadedApplication }
  /** The module can't be used; a sentence. */
  | { readonly kind: 'refused'; readonly reason: string }
  /** `stack`: of what the handler threw, for the log. */
  | { readonly kind: 'answered'; readonly id: number; readonly answer: AppAnswer; readonly stack: string | null }
  /** A handler asks for another session. `told` follows. */
  | { readonly kind: 'question'; readonly number: number; readonly question: SessionQuestion }
  | { readonly kind: 'pong' }
  /** A promise was rejected that nobody waits for. The worker goes on: no turn is of it. */
  | { readonly kind: 'rejection'; readonly reason: string }
  /** An error that nobody caught; it ends. */
  | { readonly kind: 'uncaught'; readonly reason: string }
  /** Its buffers outgrew its memory; it ends. */
  | { readonly kind: 'full'; readonly megabytes: number }

/** `said`: once it is on its way, or can't be. */
function say(message: FromWorker, said: () => void = () => {}): void {
  if (process.connected) process.send?.(message, undefined, undefined, said)
  else said()
}

/** The last word. */
function end(message: FromWorker): void {
  say(message, () => process.exit(1))
}

/** Keeps what is loaded, or gives what was kept. Packages that the application uses are the disk's: their versions are fixed there. */
function keepCode({ code }: WorkerOrder): Map<string, CodeFile> {
  const kept = new Map((code ?? []).map((file) => [file.url, file]))
  registerHooks({
    resolve(specifier, context, next) {
      const url = ownModule(specifier)
      return url === null ? next(specifier, context) : { url, shortCircuit: true }
    },
    load(url, context, next) {
      const known = code === null ? undefined : kept.get(url)
      if (known !== undefined) return { format: known.format, source: known.text, shortCircuit: true }
      const loaded = next(url, context)
      if (url.startsWith('file:') && !url.includes('/node_modules/') && !url.startsWith(ownCode)) {
        kept.set(url, { url, format: loaded.format ?? 'module', text: readFileSync(fileURLToPath(url), 'utf8') })
      }
      return loaded
    },
  })
  return kept
}

async function load(order: WorkerOrder): Promise<Application> {
  const kept = keepCode(order)
  const exports = (await import(pathToFileURL(order.module).href)) as Readonly<Record<string, unknown>>
  const application = chosen(Object.values(exports), order.name)
  const code = [...kept.values()].sort((a, b) => (a.url < b.url ? -1 : 1))
  const hash = createHash('sha256')
  for (const { url, text } of code) hash.update(JSON.stringify([relativeTo(order.module, url), text]))
  const digest = hash.digest('hex').slice(0, 12)
  const { name, version, handlers } = application
  say({ kind: 'loaded', application: { name, version: version ?? digest, handlers, hash: digest, code } })
  return application
}

/** The same on machines where it lies elsewhere. */
function relativeTo(module: string, url: string): string {
  const folder = new URL('.', pathToFileURL(module)).href
  return url.startsWith(folder) ? url.slice(folder.length) : url
}

function chosen(exports: readonly unknown[], name: string | null): Application {
  const all = [...new Set(exports.filter(isApplication))]
  const names = all.map((one) => one.name).join(', ')
  const found = name === null ? all : all.filter((one) => one.name === name)
  const [one, other] = found
  if (one !== undefined && other === undefined) return one
  if (all.length === 0) {
    throw new Error('it exports no application: export one, as in export const prepaid = defineApplication({ ... })')
  }
  if (name !== null) throw new Error(`it exports no application "${name}", but ${names}`)
  throw new Error(`it exports several applications (${names}): say which one by "name" in the config file`)
}

/** Buffers are outside of the heap that the process's limits bound. */
function watchBuffers({ memoryMb }: WorkerOrder): void {
  setInterval(() => {
    const megabytes = getHeapStatistics().external_memory / 1_048_576
    if (megabytes <= memoryMb) return
    end({ kind: 'full', megabytes: Math.round(megabytes) })
  }, hostLimits.applicationMemoryMs).unref()
}

/** Handlers that wait for what was asked about other sessions, by the question's number. */
const asking = new Map<number, (answer: never) => void>()
let questions = 0

function question<T>(asked: SessionQuestion): Promise<T> {
  const number = ++questions
  return new Promise((resolve) => {
    asking.set(number, resolve)
    say({ kind: 'question', number, question: asked })
  })
}

const ports: SessionPorts = {
  look: (lookup: Lookup) => question<LookupAnswer>({ kind: 'session', lookup }),
  order: (order: Order) => question<OrderAnswer>({ kind: 'order', order }),
}

function told(number: number, said: SessionAnswer): void {
  asking.get(number)?.(said as never)
  asking.delete(number)
}

/** What a handler did that doesn't wait is said before the next one runs, which may never end. */
function answer(application: Application, call: AppCall): void {
  let stack: string | null = null
  const failure = (error: unknown): AppAnswer => {
    stack = error instanceof Error ? (error.stack ?? null) : null
    return failed(error)
  }
  const done = (of: AppAnswer): void => {
    try {
      say({ kind: 'answered', id: call.id, answer: of, stack })
    } catch {
      // A result that no other process can be told, a function say, is nothing that a replica could use.
      say({ kind: 'answered', id: call.id, answer: of.kind === 'done' ? { ...of, result: null } : of, stack })
    }
  }
  if (call.handler === 'doHttp') return void answerHttp(application, call, failure, ports).then(done)
  const run = runHandler(application, call, failure, ports)
  if (run.kind === 'answered') done(run.answer)
  else void answerLater(run.pending, failure).then(done)
}

async function answerLater(pending: BegunTurn, failure: (error: unknown) => AppAnswer): Promise<AppAnswer> {
  try {
    const value: unknown = await pending.result
    return { kind: 'done', ops: pending.finish(), result: value }
  } catch (error) {
    return failure(error)
  }
}

async function main(order: WorkerOrder): Promise<void> {
  let application: Application
  try {
    application = await load(order)
  } catch (error) {
    return say({ kind: 'refused', reason: inWords(error) })
  }
  watchBuffers(order)
  process.on('message', (message: ToWorker) => {
    if (message.kind === 'ping') say({ kind: 'pong' })
    else if (message.kind === 'calls') for (const call of message.calls) answer(application, call)
    else if (message.kind === 'told') told(message.number, message.answer)
  })
}

/** Nothing is left of it when its replica dies, not even a handler that loops: a thread sees to that, whatever the others do. */
function dieWithReplica(): void {
  const watch = `setInterval(() => process.ppid === ${process.ppid} || process.kill(process.pid, 'SIGKILL'), ${hostLimits.applicationOrphanMs})`
  new Worker(watch, { eval: true, execArgv: [] }).unref()
  process.on('disconnect', () => process.exit())
  // A terminal tells them to the whole set; the replica says when this ends.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {})
}

function inWords(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

dieWithReplica()
process.on('unhandledRejection', (error) => say({ kind: 'rejection', reason: inWords(error) }))
process.on('uncaughtException', (error) => end({ kind: 'uncaught', reason: error.stack ?? error.message }))
process.once('message', (message: ToWorker) => {
  if (message.kind === 'order') say({ kind: 'begun' }, () => void main(message.order))
})
