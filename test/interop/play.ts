// The same play for all software whose phones can be told what to do: calls that are answered, and while they last each replica is
// killed in turn. Before each kill others ring, and are answered after it; and after it each side of each call asks
// something of the other, and gets its 200.

import { must } from '../../src/base/assert.ts'
import type { Arena } from './arena.ts'
import type { Kill, Outcome, Side } from './software.ts'

/** A call that one piece of software makes to another, as both ends see it. */
export interface Call {
  readonly name: string
  /** The callee answers; both ends have the dialog when it returns. */
  answer(): Promise<void>
  /** A request in the dialog from that side, INFO or re-INVITE as the software has it: its final answer. */
  ask(side: Side): Promise<number>
  /** The final answer of its BYE, once the other side has got that. */
  hangUp(side: Side): Promise<number>
  /** Whether an end of it gave it up, or has to, since a connection that its INVITE went by was the dead one's. */
  isCut(kill: Kill): boolean
  /** What its ends saw of it, for when it is lost. */
  story?(): string
}

export interface Phones {
  /** A call until it rings at its callee and the caller knows. */
  ring(name: string): Promise<Call>
}

export interface Numbers {
  readonly answered: number
  /** Before each kill. */
  readonly ringing: number
}

/** Looks at what a call carries besides SIP, around each kill. */
export interface Watch {
  beforeKill(): void
  /** What is wrong with which of these. */
  afterKill(calls: readonly Call[]): Promise<ReadonlyMap<string, string>>
  /** For the table. */
  note(): string
}

/** How the names of calls begin that are answered after a kill. */
export const RINGING = 'ringing'
/** A transaction's 64*T1, and then some. */
const PATIENCE_MS = 45_000
/** For a call that is cut, and may be answered all the same. */
const CUT_PATIENCE_MS = 5_000

export async function playCalls(arena: Arena, phones: Phones, numbers: Numbers, watch?: Watch): Promise<Outcome> {
  const { set } = arena
  const lost = new Map<string, string>()
  const kills: Kill[] = []
  let cut = 0
  const isCut = (call: Call): boolean => {
    const kill = kills.at(-1)
    return kill !== undefined && call.isCut(kill)
  }
  /** Does it to all calls that are not lost yet, at the same time. */
  const each = async (calls: readonly Call[], what: string, act: (call: Call, at: number) => Promise<void>) => {
    const doing = calls.map(async (call, at) => {
      if (lost.has(call.name)) return
      try {
        await within(act(call, at), () => call.name.startsWith(RINGING) && isCut(call))
      } catch (error) {
        const story = call.story === undefined ? '' : `\n${call.story()}`
        lost.set(call.name, `${call.name}, ${what}: ${(error as Error).message}${story}`)
      }
    })
    await Promise.all(doing)
  }
  const ring = (count: number, prefix: string): Promise<Call[]> =>
    Promise.all(Array.from({ length: count }, (_, i) => phones.ring(`${prefix}-${i}`)))

  const answered = await ring(numbers.answered, 'answered')
  await Promise.all(answered.map((call) => call.answer()))
  await set.statuses('all are answered', 20_000, ({ calls }) => calls.confirmed === numbers.answered)

  for (const [round, victim] of arena.victims.entries()) {
    const what = `kill ${round + 1}`
    const ringing = await ring(numbers.ringing, `${RINGING}-${round}`)
    await set.statuses('they ring', 20_000, ({ calls }) => calls.early >= numbers.ringing)
    watch?.beforeKill()
    kills.push(await arena.kill(victim))
    await Promise.all([
      each(answered, what, async (call) => {
        await askBoth(call)
      }),
      each(ringing, what, async (call) => {
        await call.answer()
        await askBoth(call)
      }),
    ])
    const faults = await watch?.afterKill(answered.filter((call) => !lost.has(call.name)))
    for (const [name, fault] of faults ?? []) lost.set(name, `${name}, ${what}: ${fault}`)
    arena.checkSurvivors()
    for (const call of ringing.filter((call) => lost.has(call.name) && isCut(call))) {
      lost.delete(call.name)
      cut++
      ringing.splice(ringing.indexOf(call), 1)
    }
    await each(ringing, `${what}, the end`, endBySides)
    const isLast = round === 2
    if (isLast) await each(answered, 'the end', endBySides)
    await arena.whole()
  }
  if (lost.size === 0) {
    await set.statuses('no call is left', 60_000, ({ calls }) => calls.confirmed + calls.early <= cut)
  }
  const total = numbers.answered + numbers.ringing * kills.length
  return {
    ...{
      answered: numbers.answered,
      ringing: numbers.ringing * kills.length,
      kills,
      cut: { answered: 0, ringing: cut },
    },
    ...{ survived: total - lost.size - cut, lost: [...lost.values()] },
    ...(watch === undefined ? {} : { note: watch.note() }),
  }
}

async function askBoth(call: Call): Promise<void> {
  for (const side of ['caller', 'callee'] as const) expect200(await call.ask(side), `asked by the ${side}`)
}

async function endBySides(call: Call, at: number): Promise<void> {
  const side = must((['caller', 'callee'] as const)[at % 2], 'a side')
  expect200(await call.hangUp(side), `BYE of the ${side}`)
}

function expect200(status: number, what: string): void {
  if (status !== 200) throw new Error(`${what} got ${status}`)
}

async function within(work: Promise<void>, isCut: () => boolean): Promise<void> {
  const begin = performance.now()
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setInterval(() => {
      const patience = isCut() ? CUT_PATIENCE_MS : PATIENCE_MS
      if (performance.now() - begin > patience) reject(new Error(`not within ${patience} ms`))
    }, 500)
  })
  try {
    await Promise.race([work, late])
  } finally {
    clearInterval(timer)
  }
}
