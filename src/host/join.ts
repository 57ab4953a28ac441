// Who a process is that has no log (decision 0018). A fresh disk must never take part under an old identity, which could vote
// twice; nor may two sets be founded under one name. So:
//
//   - `found`: `up` starts the first processes of a set, and knows it: they are its founders, generation 0 of their places.
//   - `join`: it has run before: the leader allots the next generation of its place.
//   - `ask`: it can't know. It founds only if every other place of the configuration file answers, and each of them is as fresh, or
//     has a log that began with this place as a voter and has never met another disk of it. Else it joins.
//
// Why that is safe: whoever took part under that identity was met by somebody, who wrote that down before it listened
// (known-peers.ts). As all are asked, that one is: or it is fresh as well, and then nothing is left of what it took part in.
//
// But for those whom the configuration file doesn't name: the set may have grown since. Its members dial this place, which the member
// book still has, at least every half second; so where nobody has a log, none is founded before `foundMs` has passed without such
// a call, and after one never: who called is asked to let this process join.

import { createConnection } from 'node:net'
import type { TLSSocket } from 'node:tls'
import { setTimeout as sleep } from 'node:timers/promises'
import { placeOf, replicaId, replicaOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { err, ok } from '../base/result.ts'
import type { Result } from '../base/result.ts'
import { parseAddress, printAddress } from './address.ts'
import type { Address } from './address.ts'
import type { ReplicaConfig, SetConfig } from './config.ts'
import type { Newcomer } from './data-folder.ts'
import { hostLimits } from './limits.ts'
import type { Logger } from './log.ts'
import {
  parseHello,
  parseJoining,
  parseKnowledge,
  parseQuestion,
  printAnswer,
  printKnowledge,
  printQuestion,
} from './peer-hello.ts'
import type { Knowledge, Question } from './peer-hello.ts'
import { securePeerClient, securePeerServer, whyInsecure } from './peer-security.ts'
import { readLine } from './peer-server.ts'

export interface JoinParts {
  readonly config: SetConfig
  readonly own: ReplicaConfig
  readonly mode: 'found' | 'join' | 'ask'
  readonly log: Logger
  /** How long it listens for members that the configuration file doesn't name; `hostLimits.foundMs` but in tests. */
  readonly foundMs?: number
  /** This process ends. */
  isOver(): boolean
}

/** Does not give up; while it waits it says for what. */
export async function identify(parts: JoinParts, incarnation: string): Promise<Result<Newcomer, string>> {
  const { config, own, mode } = parts
  const founder: Newcomer = { id: own.id, voters: config.replicas.map(({ id }) => id) }
  const others = config.replicas.filter(({ id }) => id !== own.id)
  if (mode === 'found') return ok(founder)
  if (mode === 'join' && others.length === 0) {
    return err(`replica ${own.id} has run before, its log is gone, and there is no other replica that has it`)
  }
  const callers: Callers = new Map()
  const closeDoor = await openDoor(parts, callers)
  if (!closeDoor.ok) return closeDoor
  const opened = performance.now()
  try {
    const told = new Saying(parts.log)
    while (!parts.isOver()) {
      const round = await askAll(parts, others, callers, incarnation)
      const hasListened = round.isBegun || performance.now() - opened >= (parts.foundMs ?? hostLimits.foundMs)
      if (mode === 'ask' && round.mayFound && callers.size === 0 && hasListened) return ok(founder)
      if (round.id !== null) return ok({ id: replicaId(round.id), voters: [] })
      told.say(`replica ${own.id} has no log, and waits to be one of the set: ${round.said.join('; ')}`)
      await sleep(hostLimits.joinAgainMs)
    }
    return err('it was told to end before it was one of the set')
  } finally {
    closeDoor.value()
  }
}

/** Members of the set that the configuration file doesn't name, and where they are reached. */
type Callers = Map<ReplicaId, Address | null>

interface Round {
  readonly mayFound: boolean
  /** Somebody has founded it with this place. */
  readonly isBegun: boolean
  /** Who the leader says that this process is. */
  readonly id: number | null
  /** What each of the others said. */
  readonly said: readonly string[]
}

async function askAll(
  parts: JoinParts,
  others: readonly ReplicaConfig[],
  callers: Callers,
  incarnation: string,
): Promise<Round> {
  const { config, own, mode } = parts
  const question: Omit<Question, 'ask'> = {
    set: config.set,
    place: placeOf(own.id),
    incarnation,
    peer: printAddress(own.peer),
    admin: printAddress(own.admin),
  }
  const answers = await Promise.all(
    others.map(async ({ peer }) => readAnswer(await ask(config, peer, { ...question, ask: 'who' }), parseKnowledge)),
  )
  const allows = ({ isFresh, isFounder, met }: Knowledge): boolean =>
    isFresh || (isFounder && (met === null || met === incarnation))
  const mayFound = answers.every((answer) => answer.ok && allows(answer.value))
  // Somebody has a log without this disk.
  const isSet = answers.some(
    (answer) => answer.ok && !answer.value.isFresh && (mode === 'join' || !allows(answer.value)),
  )
  const isBegun = answers.some((answer) => answer.ok && !answer.value.isFresh)
  const said: string[] = []
  for (const [id, address] of callers) {
    const joined =
      address === null
        ? err('where?')
        : readAnswer(await ask(config, address, { ...question, ask: 'join' }), parseJoining)
    if (joined.ok) return { mayFound: false, isBegun, id: joined.value, said }
    said.push(`replica ${placeOf(id)} is in the set, and not in the configuration file (${joined.error})`)
  }
  for (const [at, { id, peer }] of others.entries()) {
    const answer = answers[at]
    if (answer === undefined || !answer.ok) said.push(`replica ${id}: ${answer?.error ?? 'no answer'}`)
    else if (answer.value.isFresh) said.push(`replica ${id} has no log either`)
    else if (!isSet) said.push(`replica ${id} has one`)
    else {
      const joined = readAnswer(await ask(config, peer, { ...question, ask: 'join' }), parseJoining)
      if (joined.ok) return { mayFound: false, isBegun, id: joined.value, said }
      said.push(`replica ${id}: ${joined.error}`)
    }
  }
  return { mayFound, isBegun, id: null, said }
}

function readAnswer<T>(line: Result<string, string>, parse: (line: string) => Result<T, string>): Result<T, string> {
  return line.ok ? parse(line.value) : line
}

/** One question on a link of its own. Never rejects. */
function ask(config: SetConfig, address: Address, question: Question): Promise<Result<string, string>> {
  return new Promise((resolve) => {
    const raw = createConnection({ ...address, noDelay: true })
    const timer = setTimeout(() => raw.destroy(), hostLimits.joinAnswerMs)
    let why = 'no answer'
    raw.on('error', (error: NodeJS.ErrnoException) => {
      why = error.code === 'ECONNREFUSED' ? 'not running' : error.message
    })
    raw.once('connect', () => {
      const socket = securePeerClient(raw, config)
      socket.on('error', (error) => {
        // It may just have closed: between two rounds of its questions, or between these and its first life.
        why =
          whyInsecure(error) === null
            ? `the connection to it ended (${error.message})`
            : `it is not of this set, or has another secret (${error.message})`
        raw.destroy()
      })
      socket.once('close', () => raw.destroy())
      socket.once('secureConnect', () => socket.write(printQuestion(question)))
      readLine(socket, (line) => {
        resolve(line === null ? err('it does not speak as a replica does') : ok(line))
        socket.destroy()
      })
    })
    raw.once('close', () => {
      clearTimeout(timer)
      resolve(err(why))
    })
  })
}

/** While a process doesn't know who it is, those that ask hear that it has no log either, and those that greet it are noted. */
function openDoor({ config, own }: JoinParts, callers: Callers): Promise<Result<() => void, string>> {
  const open = new Set<TLSSocket>()
  const note = (line: string): void => {
    const hello = parseHello(line)
    if (!hello.ok || hello.value.set !== config.set) return
    const { life, at } = hello.value
    const caller = replicaOf(life)
    if (config.replicas.some(({ id }) => placeOf(id) === placeOf(caller))) return
    const address = at === null ? null : parseAddress(at)
    callers.set(caller, address?.ok === true ? address.value : null)
  }
  const server = securePeerServer(config, () => undefined)
  server.on('secureConnection', (socket) => {
    open.add(socket)
    const timer = setTimeout(() => socket.destroy(), hostLimits.helloMs)
    socket.on('error', () => undefined)
    socket.once('close', () => {
      clearTimeout(timer)
      open.delete(socket)
    })
    readLine(socket, (line) => {
      const question = line === null ? null : parseQuestion(line)
      const isAsked = question !== null && question.ask === 'who'
      if (line !== null && question === null) note(line)
      socket.resume()
      socket.end(
        isAsked
          ? printKnowledge({ isFresh: true, isFounder: false, met: null })
          : printAnswer({ refused: `replica ${own.id} has no log, and waits to be one of the set` }),
      )
    })
  })
  return new Promise((resolve) => {
    server.once('error', (error) => {
      resolve(err(`the peer address ${printAddress(own.peer)} can't be bound: ${error.message}`))
    })
    server.listen({ ...own.peer }, () => {
      server.on('error', () => undefined)
      resolve(
        ok(() => {
          server.close()
          for (const socket of open) socket.destroy()
        }),
      )
    })
  })
}

/** Says the same only now and then; louder once it takes longer than a set takes to begin. */
export class Saying {
  readonly #log: Logger
  #last = ''
  #at = Number.NEGATIVE_INFINITY

  readonly #since: number

  constructor(log: Logger, now = performance.now()) {
    this.#log = log
    this.#since = now
  }

  say(text: string, now = performance.now()): void {
    if (text === this.#last && now - this.#at < hostLimits.joinSayMs) return
    this.#last = text
    this.#at = now
    const level = now - this.#since < hostLimits.joinSayMs ? 'info' : 'warn'
    this.#log[level]({ code: 'joining' }, text)
  }
}
