// npm run fuzz: bytes of every kind against the codec and the proxy's way in (properties.ts).
//
//   npm run fuzz -- --messages 10000000          until so many, or until one breaks a property
//   npm run fuzz -- --seed 7 --number 12345      that one again: its bytes, and what becomes of it
//   npm run fuzz -- --slow                       what pathological messages cost beside a plain one of their size
//
// Exit: 0 all hold, 1 one does not (or a message is slow), 2 a wrong option.

import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { Progress } from '../../sim/run/progress.ts'
import { proxied } from '../torture/proxied.ts'
import { makeInput } from './input.ts'
import { slowTable } from './slow-inputs.ts'
import { checkRange } from './worker.ts'
import type { Range, RangeResult } from './worker.ts'

const BLOCK = 2_000

const HELP = `npm run fuzz -- [--messages N] [--seed N] [--from N] [--workers N]
                --seed N --number N
                --slow

  --messages N  how many messages are made and checked (200000)
  --seed N      which ones: message K of a seed is the same bytes for ever (drawn and printed)
  --from N      begin with message N of the seed (0)
  --workers N   threads (one for each processor but one)
  --number N    show message N of the seed, and what becomes of it
  --slow        what pathological messages cost
`

interface Totals {
  checked: number
  messages: number
  characters: number
  readonly fates: { forwarded: number; answered: number; dropped: number }
}

process.exitCode = await main()

async function main(): Promise<number> {
  const given = options()
  if (typeof given === 'string') {
    process.stderr.write(`${given}\n`)
    return 2
  }
  if (given.help) process.stdout.write(HELP)
  else if (given.slow) return showSlow()
  else if (given.number === null) return run(given)
  else return replay(given.seed, given.number)
  return 0
}

interface Options {
  readonly messages: number
  readonly seed: number
  readonly from: number
  readonly workers: number
  readonly number: number | null
  readonly slow: boolean
  readonly help: boolean
}

/** The options, or why they are wrong. */
function options(): Options | string {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean', default: false } as const
  try {
    const { values } = parseArgs({
      options: { messages: text, seed: text, from: text, workers: text, number: text, slow: flag, help: flag },
    })
    const count = (name: 'messages' | 'seed' | 'from' | 'workers' | 'number', otherwise: number): number => {
      const value = values[name]
      if (value === undefined) return otherwise
      if (!/^\d{1,10}$/.test(value)) throw new Error(`--${name} ${value}: give a whole number`)
      return Number(value)
    }
    if (values.number !== undefined && values.seed === undefined)
      return '--number needs --seed: which messages it counts'
    return {
      messages: count('messages', 200_000),
      seed: count('seed', Math.floor(Math.random() * 2 ** 31)),
      from: count('from', 0),
      workers: Math.max(1, count('workers', availableParallelism() - 1)),
      number: values.number === undefined ? null : count('number', 0),
      slow: values.slow,
      help: values.help,
    }
  } catch (error) {
    return `${error instanceof Error ? error.message : String(error)}\n\n${HELP}`
  }
}

async function run({ messages, seed, from, workers }: Options): Promise<number> {
  process.stdout.write(
    `seed ${seed}, messages ${from} to ${from + messages - 1}, ${workers} worker${workers === 1 ? '' : 's'}\n`,
  )
  const progress = new Progress(messages)
  const totals: Totals = { checked: 0, messages: 0, characters: 0, fates: { forwarded: 0, answered: 0, dropped: 0 } }
  const failures: { number: number; text: string }[] = []
  let next = from
  const end = from + messages
  // Interrupted, it says how far it came.
  let isOver = false
  process.once('SIGINT', () => (isOver = true))
  const take = (): Range | null => {
    if (isOver || next >= end || failures.length > 0) return null
    const range = { seed, from: next, to: Math.min(end, next + BLOCK) }
    next = range.to
    return range
  }
  await Promise.all(
    Array.from({ length: workers }, () =>
      work(take, (result) => {
        add(totals, result)
        if (result.failure !== null) failures.push(result.failure)
        progress.show('fuzz', totals.checked, null)
      }),
    ),
  )
  progress.end()
  const { checked, characters, fates } = totals
  process.stdout.write(
    `${checked} messages (${(characters / 1e6).toFixed(0)} MB, ${totals.messages} of them SIP) in ${progress.seconds.toFixed(0)} s: ` +
      `${fates.forwarded} forwarded, ${fates.answered} answered, ${fates.dropped} dropped; ${failures.length} broke a property\n`,
  )
  const [first] = failures.sort((a, b) => a.number - b.number)
  if (first === undefined) return 0
  process.stdout.write(`\n${first.text}\n\nagain: npm run fuzz -- --seed ${seed} --number ${first.number}\n`)
  return 1
}

function add(totals: Totals, { checked, messages, characters, fates }: RangeResult): void {
  totals.checked += checked
  totals.messages += messages
  totals.characters += characters
  for (const fate of ['forwarded', 'answered', 'dropped'] as const) totals.fates[fate] += fates[fate]
}

/** One thread until there is no more to take. */
function work(take: () => Range | null, done: (result: RangeResult) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL('worker.ts', import.meta.url))
    const go = (): void => {
      const range = take()
      if (range === null) void worker.terminate().then(() => resolve())
      else worker.postMessage(range)
    }
    worker.on('message', (result: RangeResult) => {
      done(result)
      go()
    })
    worker.on('error', reject)
    go()
  })
}

function showSlow(): number {
  const { text, slow } = slowTable()
  process.stdout.write(text)
  for (const name of slow) process.stdout.write(`too slow: ${name}\n`)
  return slow.length === 0 ? 0 : 1
}

function replay(seed: number, number: number): number {
  const { text } = makeInput(seed, number)
  process.stdout.write(
    `message ${number} of seed ${seed}, ${text.length} characters:\n\n${text}\n\n${JSON.stringify(text)}\n\n`,
  )
  const { failure, fates } = checkRange({ seed, from: number, to: number + 1 })
  const fate = Object.entries(fates).find(([, times]) => times > 0)?.[0]
  process.stdout.write(failure === null ? `all properties hold; it is ${fate}\n` : `${failure.text}\n`)
  if (failure === null) process.stdout.write(`${JSON.stringify(proxied(text))}\n`)
  return failure === null ? 0 : 1
}
