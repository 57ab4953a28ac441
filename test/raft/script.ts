// Golden scripts: a set of replicas driven by commands, one block each:
//
//     command arguments
//     ----
//     what came of it
//
// Nothing happens by itself: a `tick` is given, a message waits until it is delivered, a write until it is synced. Election
// timeouts are not random: replica n's is 500 ms + n*10 ms, so `elect` and `wait` are predictable. The invariants of the log
// are checked after every command. A snapshot's bytes are not there: its message stands for them.

import type { ReplicaId } from '../../src/base/brand.ts'
import { index, replicaId, term } from '../../src/base/brand.ts'
import { latin1Bytes } from '../../src/base/bytes.ts'
import { instant, micros, millis, plus } from '../../src/base/instant.ts'
import type { ConfChange, ConfChanges } from '../../src/raft/conf-change.ts'
import type { RaftConfig, Restored } from '../../src/raft/config.ts'
import type { RaftMessage } from '../../src/raft/message.ts'
import { formatMessage, formatReady, formatSnapshot } from '../../src/raft/print.ts'
import type { Raft } from '../../src/raft/raft.ts'
import { formatStatus } from '../../src/raft/status.ts'
import { Machine } from '../../src/raft/testing/machine.ts'
import { Oracle } from '../../src/raft/testing/oracle.ts'
import { changeKind, entryOf, logLine, matches, resultLine, valueOf } from './words.ts'

type Arguments = readonly string[]
type Transition = ConfChanges['transition']

const transitions: readonly Transition[] = ['auto', 'implicit', 'explicit']

class Script {
  #oracle = new Oracle()
  #machines = new Map<ReplicaId, Machine>()
  #settings: Record<string, number | boolean> = {}
  #network: RaftMessage[] = []
  readonly #cut = new Set<ReplicaId>()
  #now = instant(0)

  /** Carries out one command; its output. */
  run(line: string): string {
    const [name = '', ...rest] = line.trim().split(/\s+/)
    const lines = this.#command(name, rest)
    return lines.length === 0 ? 'ok' : lines.join('\n')
  }

  #command(name: string, rest: Arguments): readonly string[] {
    const [first = '', second = ''] = rest
    switch (name) {
      case 'replicas': // N [setting=value ...]: a set, not started
        return this.#replicas(Number(first), rest.slice(1))
      case 'join': // ID ...: more replicas, started, that know of no configuration
        for (const id of rest) this.#add(replicaId(Number(id)), []).start(this.#now)
        return []
      case 'change': // ID CHANGE ... [auto|implicit|explicit]: v4 adds a voter, l4 a learner, r4 removes
        return [this.#change(this.#machine(first), rest.slice(1))]
      case 'leave': // ID: it leaves a joint configuration
        return [
          resultLine(
            'leave',
            this.#do(this.#machine(first), (raft) => raft.leaveJoint(this.#now)),
          ),
        ]
      case 'transfer': // ID TO
        return [this.#transfer(this.#machine(first), replicaId(Number(second)))]
      case 'snapshot': // ID [INDEX]: the state at INDEX, or at what is applied, is durable
        return this.#snapshot(this.#machine(first), second)
      case 'purge': // ID INDEX
        this.#do(this.#machine(first), (raft) => raft.purge(index(Number(second))))
        return []
      case 'report': // ID PEER arrived|failed|unreachable
        return this.#report(this.#machine(first), replicaId(Number(second)), rest[2] ?? '')
      case 'apply': // ID [INDEX]: what was handed out is applied (asyncStorage)
        this.#machine(first).apply(second === '' ? null : index(Number(second)))
        return []
      case 'aside': // ID: it can't lead
        this.#do(this.#machine(first), (raft) => raft.stepDown(this.#now))
        return []
      case 'rebootstrap': // ID: the majority is gone for good, and it goes on alone
        return [this.#do(this.#machine(first), (raft) => raft.rebootstrap(this.#now)) ?? 'ok']
      case 'disk': // ID term=T vote=V commit=C log=1n,1,2: what its disk holds before it starts
        return this.#disk(this.#machine(first), rest.slice(1))
      case 'start': // [ID ...]
        for (const machine of this.#listed(rest)) machine.start(this.#now)
        return []
      case 'tick': // ID: time goes on to its deadline, and it alone notices
        return this.#tick(this.#machine(first))
      case 'wait': // MS: time goes on, everybody ticks when due, and all messages and writes go through
        return this.#wait(Number(first))
      case 'pause': // MS: time goes on, and nobody notices
        this.#now = plus(this.#now, millis(Number(first)))
        return []
      case 'late': // ID: it ticks now, however late
        this.#do(this.#machine(first), (raft) => raft.tick(this.#now))
        return []
      case 'elect': // ID: it campaigns and wins, quietly
        return this.#elect(this.#machine(first))
      case 'propose': // ID TEXT ...
        return rest.slice(1).map((text) => this.#propose(this.#machine(first), text))
      case 'read': // ID CONTEXT
        this.#oracle.asked(this.#machine(first).id, Number(second))
        this.#do(this.#machine(first), (raft) => raft.readIndex(Number(second), this.#now))
        return []
      case 'forget': // ID PEER
        this.#do(this.#machine(first), (raft) => raft.forget(replicaId(Number(second)), this.#now))
        return []
      case 'ready': // ID: takes its Readys and prints them
        return this.#ready(this.#machine(first))
      case 'sync': // ID [N]: its oldest N writes (all) become durable
        return this.#sync(this.#machine(first), second === '' ? Infinity : Number(second))
      case 'deliver': // [FROM->TO] [KIND]: messages in flight arrive
        return this.#deliver(rest)
      case 'drop': // [FROM->TO] [KIND]
        this.#select(rest)
        return []
      case 'double': // [FROM->TO] [KIND]: every message in flight arrives twice, the second time later
        this.#network.push(...this.#network.filter((message) => matches(message, rest)))
        return []
      case 'flight':
        return this.#network.map(formatMessage)
      case 'settle': // [quiet]: everything goes through until nothing more happens
        return this.#settle(first !== 'quiet')
      case 'cut': // ID ...: what goes to and from them is lost
        for (const machine of this.#listed(rest)) this.#cut.add(machine.id)
        return []
      case 'heal':
        this.#cut.clear()
        return []
      case 'crash': // ID [N]: it dies; of its unsynced records the first N survive
        this.#machine(first).crash(Number(second))
        this.#network = this.#network.filter((message) => message.to !== this.#machine(first).id)
        return []
      case 'message': // FROM->TO KIND key=value ...: a message made by hand
        return this.#forge(rest)
      case 'status':
        return this.#listed(rest).map(({ id, raft }) => (raft === null ? `${id} crashed` : formatStatus(raft.status())))
      case 'log':
        return this.#listed(rest).map((machine) => `${machine.id} ${logLine(machine)}`)
      default:
        throw new Error(`unknown command ${name}`)
    }
  }

  #replicas(count: number, settings: Arguments): readonly string[] {
    this.#oracle = new Oracle()
    this.#machines = new Map()
    this.#network = []
    this.#cut.clear()
    const ids = Array.from({ length: count }, (_, at) => replicaId(at + 1))
    const switches = ['asyncStorage', 'lazyCommit']
    const given = settings.map((setting) => setting.split('=') as [string, string])
    this.#settings = Object.fromEntries(
      given.map(([key, value]) => [key, switches.includes(key) ? value === 'on' : Number(value)]),
    )
    for (const id of ids) this.#add(id, ids)
    return []
  }

  #add(id: ReplicaId, voters: readonly ReplicaId[]): Machine {
    const config: RaftConfig = {
      id,
      voters,
      random: { below: (bound) => Math.min(id * 10_000, bound - 1) },
      electionTimeout: millis(500),
      electionSpread: millis(500),
      heartbeat: millis(100),
      prompt: millis(30),
      maxAppendEntries: 64,
      maxAppendBytes: 10_000,
      maxInflight: 8,
      maxUncommittedBytes: 10_000,
      ...this.#settings,
    }
    const machine = new Machine(config, this.#oracle)
    this.#machines.set(id, machine)
    this.#oracle.add(machine)
    return machine
  }

  #change(machine: Machine, words: Arguments): string {
    const transition = words.find((word) => transitions.includes(word as Transition)) as Transition | undefined
    const changes = words
      .filter((word) => word !== transition)
      .map((word): ConfChange => ({ kind: changeKind(word), replica: replicaId(Number(word.slice(1))) }))
    const wanted = { changes, transition: transition ?? 'auto' }
    return resultLine(
      'change',
      this.#do(machine, (raft) => raft.proposeConfChange(wanted, this.#now)),
    )
  }

  #transfer(machine: Machine, to: ReplicaId): string {
    const result = this.#do(machine, (raft) => raft.transferLeadership(to, this.#now))
    if (result === null) return 'crashed'
    return result.ok ? 'ok' : `transfer refused: ${result.error}`
  }

  #snapshot(machine: Machine, at: string): readonly string[] {
    const { raft } = machine
    if (raft === null) return ['crashed']
    machine.snapshot(at === '' ? raft.status().applied : index(Number(at)))
    const { snapshot } = machine.durable
    return [snapshot === null || snapshot === undefined ? 'none' : formatSnapshot(snapshot)]
  }

  #report(machine: Machine, peer: ReplicaId, what: string): readonly string[] {
    this.#do(machine, (raft) => {
      if (what === 'unreachable') raft.reportUnreachable(peer)
      else raft.reportSnapshot(peer, what === 'arrived')
    })
    return []
  }

  #disk(machine: Machine, parts: Arguments): readonly string[] {
    const value = (name: string): string =>
      parts.find((part) => part.startsWith(`${name}=`))?.slice(name.length + 1) ?? ''
    const terms = value('log') === '' ? [] : value('log').split(',')
    const entries = terms.map((each, at) => entryOf(index(at + 1), each))
    const vote = value('vote') === '' ? null : replicaId(Number(value('vote')))
    const state = { term: term(Number(value('term'))), vote, commit: index(Number(value('commit'))) }
    const restored: Restored = { state, entries }
    machine.write(restored)
    return []
  }

  #tick(machine: Machine): readonly string[] {
    const due = machine.raft?.deadline() ?? this.#now
    if (due > this.#now) this.#now = due
    this.#do(machine, (raft) => raft.tick(this.#now))
    return []
  }

  #wait(ms: number): readonly string[] {
    const end = plus(this.#now, millis(ms))
    const before = this.#views()
    for (;;) {
      const due = this.#live().map((machine) => machine.raft?.deadline() ?? end)
      const next = Math.max(this.#now, Math.min(...due))
      if (next > end) break
      this.#now = instant(next)
      for (const machine of this.#live()) this.#do(machine, (raft) => raft.tick(this.#now))
      this.#settle(false)
      this.#now = plus(this.#now, micros(1))
    }
    this.#now = instant(Math.max(this.#now, end))
    const after = this.#views()
    return after.filter((line) => !before.includes(line))
  }

  #elect(machine: Machine): readonly string[] {
    const due = machine.raft?.deadline() ?? this.#now
    if (due > this.#now) this.#now = due
    this.#do(machine, (raft) => raft.tick(this.#now))
    this.#settle(false)
    return this.#views()
  }

  #propose(machine: Machine, text: string): string {
    const result = this.#do(machine, (raft) => raft.propose(latin1Bytes(text), this.#now))
    if (result === null) return 'crashed'
    return result.ok ? `${text} at ${result.value}` : `${text} refused: ${result.error}`
  }

  #ready(machine: Machine): readonly string[] {
    const lines: string[] = []
    for (;;) {
      const ready = machine.take(this.#now)
      if (ready === null) return lines
      lines.push(...formatReady(ready))
      this.#send(ready.messages)
    }
  }

  #sync(machine: Machine, count: number): readonly string[] {
    const messages = machine.sync(count)
    this.#send(messages)
    return messages.map(formatMessage)
  }

  #deliver(which: Arguments): readonly string[] {
    const lines: string[] = []
    for (const message of this.#select(which)) {
      lines.push(formatMessage(message))
      // Nobody is there yet who could hear it.
      const machine = this.#machines.get(message.to)
      if (machine !== undefined) this.#do(machine, (raft) => raft.step(message, this.#now))
    }
    return lines
  }

  #settle(prints: boolean): readonly string[] {
    const lines: string[] = []
    for (let busy = true; busy;) {
      busy = false
      for (const machine of this.#live()) {
        const ready = this.#ready(machine)
        const unsynced = machine.unsynced > 0
        if (unsynced) this.#sync(machine, Infinity)
        machine.apply()
        busy ||= ready.length > 0 || unsynced
        if (ready.length > 0) lines.push(`${machine.id}:`, ...ready.map((line) => `  ${line}`))
      }
      busy = this.#deliver([]).length > 0 || busy
    }
    return prints ? lines : []
  }

  #forge(rest: Arguments): readonly string[] {
    const [route = '', kind = '', ...parts] = rest
    const [from, to] = route.split('->').map(Number)
    const fields = Object.fromEntries(
      parts.map((part) => part.split('=')).map(([key, value]) => [key, valueOf(value ?? '')]),
    )
    const message = { kind, from, to, ...fields } as unknown as RaftMessage
    this.#network.push(message)
    return []
  }

  #select(which: Arguments): readonly RaftMessage[] {
    const chosen = this.#network.filter((message) => matches(message, which))
    this.#network = this.#network.filter((message) => !matches(message, which))
    return chosen
  }

  #send(messages: readonly RaftMessage[]): void {
    for (const message of messages) {
      if (this.#cut.has(message.from) || this.#cut.has(message.to)) continue
      this.#network.push(message)
    }
  }

  #do<T>(machine: Machine, act: (raft: Raft) => T): T | null {
    return machine.do(act)
  }

  #views(): readonly string[] {
    return this.#live().map(({ id, raft }) => {
      const status = raft?.status()
      return `${id} ${status?.role ?? ''} term=${status?.term ?? 0} leader=${status?.leader ?? '-'}`
    })
  }

  #live(): readonly Machine[] {
    return [...this.#machines.values()].filter((machine) => machine.raft !== null)
  }

  #listed(ids: Arguments): readonly Machine[] {
    return ids.length === 0 ? [...this.#machines.values()] : ids.map((id) => this.#machine(id))
  }

  #machine(id: string): Machine {
    const machine = this.#machines.get(replicaId(Number(id)))
    if (machine === undefined) throw new Error(`no replica ${id}`)
    return machine
  }
}

/** Runs a whole script: the same text with the outputs that came. */
export function runScript(text: string): string {
  const script = new Script()
  const blocks = text.split('\n\n').map((block) => block.trim())
  const done = blocks
    .filter((block) => block !== '')
    .map((block) => {
      const commands = block.split('\n----')[0] ?? ''
      if (commands.split('\n').every((line) => line.startsWith('#'))) return commands
      const outputs = commands
        .split('\n')
        .filter((line) => !line.startsWith('#'))
        .map((line) => script.run(line))
      return `${commands}\n----\n${outputs.filter((output) => output !== 'ok').join('\n') || 'ok'}`
    })
  return `${done.join('\n\n')}\n`
}
