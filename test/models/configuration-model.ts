// Changes of the set, and the log that holds them, against plain sets: what each index's configuration is, whatever is appended, cut
// off, compacted or replaced; and that neighbours in the log never have quorums that share nobody (invariant 8), by listing them.

import fc from 'fast-check'
import { index, replicaId, term } from '../../src/base/brand.ts'
import type { Index } from '../../src/base/brand.ts'
import type { ConfChange, ConfChanges } from '../../src/raft/conf-change.ts'
import { applyChanges, leaveJoint } from '../../src/raft/conf-change.ts'
import { configuration, configurationFault, encodeConfiguration } from '../../src/raft/configuration.ts'
import type { Configuration } from '../../src/raft/configuration.ts'
import { Membership } from '../../src/raft/membership.ts'
import type { RaftEntry } from '../../src/raft/message.ts'
import { command, findByWalks, holds, same } from './model.ts'
import type { Model } from './model.ts'
import { allQuorums } from './quorum-model.ts'

/** A configuration as plain sets of numbers. */
interface Sets {
  readonly voters: ReadonlySet<number>
  /** Null: it is not joint. */
  readonly outgoing: ReadonlySet<number> | null
  readonly learners: ReadonlySet<number>
  /** Who is to learn once the joint configuration is left. */
  readonly next: ReadonlySet<number>
  readonly leavesItself: boolean
}

/** Place i: what is in force at index i. */
interface Plain {
  at: Sets[]
  purged: number
}

type Command = fc.Command<Plain, Membership>

const change: fc.Arbitrary<ConfChange> = fc.record({
  kind: fc.constantFrom('add-voter', 'add-learner', 'remove'),
  replica: fc.integer({ min: 1, max: 6 }).map(replicaId),
})
const changes: fc.Arbitrary<ConfChanges> = fc.record({
  changes: fc.array(change, { maxLength: 4 }),
  transition: fc.constantFrom('auto', 'implicit', 'explicit'),
})

const commands: fc.Arbitrary<Command>[] = [
  changes.map((wanted) => checked(fc.stringify(wanted), (model, log) => propose(model, log, wanted))),
  changes.map((wanted) => checked(fc.stringify(wanted), (model, log) => propose(model, log, wanted))),
  fc.constant(checked('leave', (model, log) => propose(model, log, 'leave'))),
  fc.constant(checked('another entry', (model, log) => append(model, log, null, newest(model)))),
  fc.nat({ max: 3 }).map((back) => checked(`cut ${back}`, (model, log) => cut(model, log, back))),
  fc.nat({ max: 3 }).map((keep) => checked(`compact ${keep}`, (model, log) => compact(model, log, keep))),
  fc.nat({ max: 3 }).map((ahead) => checked(`install ${ahead}`, (model, log) => install(model, log, ahead))),
]

export const configurationModel: Model = {
  key: 'configurations',
  name: 'each index has the configuration that plain sets say, and neighbours share a voter in every two quorums',
  find: (search) => findByWalks(commands, start, search),
}

const first = [1, 2, 3].map(replicaId)

function start(): { model: Plain; real: Membership } {
  const sets: Sets = {
    voters: new Set(first),
    outgoing: null,
    learners: new Set(),
    next: new Set(),
    leavesItself: false,
  }
  return { model: { at: [sets], purged: 0 }, real: new Membership(index(0), configuration(first)) }
}

function checked(name: string, run: (model: Plain, log: Membership) => void): Command {
  return command(name, (model, log) => {
    run(model, log)
    same('the newest configuration', shown(newest(model)), shown(setsOf(log.latest)))
    for (let at = model.purged; at < model.at.length; at++)
      same(`the configuration at ${at}`, shown(model.at[at] ?? null), shown(setsOf(log.at(index(at)))))
  })
}

function propose(model: Plain, log: Membership, wanted: ConfChanges | 'leave'): void {
  const before = log.latest
  const result = wanted === 'leave' ? leaveJoint(before) : applyChanges(before, wanted)
  const expected = wanted === 'leave' ? left(newest(model)) : changed(newest(model), wanted)
  same('the change', typeof expected === 'string' ? expected : 'made', result.ok ? 'made' : result.error)
  if (!result.ok || typeof expected === 'string') return
  same('what is wrong with it', null, configurationFault(result.value))
  const [these, those] = [allQuorums(before.voters), allQuorums(result.value.voters)]
  const overlap = these.every((a) => those.every((b) => a.some((id) => b.includes(id))))
  holds(`${shown(newest(model))} and ${shown(expected)} share a voter in every two quorums`, overlap)
  append(model, log, result.value, expected)
}

/** Said naively: the change as a whole, one after the other, on sets. */
function changed(from: Sets, { changes, transition }: ConfChanges): Sets | 'joint' | 'no-voters' {
  if (from.outgoing !== null) return 'joint'
  const isJoint = transition !== 'auto' || changes.length > 1
  const role = new Map<number, 'votes' | 'learns'>()
  for (const id of from.voters) role.set(id, 'votes')
  for (const id of from.learners) role.set(id, 'learns')
  for (const { kind, replica } of changes) {
    role.delete(replica)
    if (kind !== 'remove') role.set(replica, kind === 'add-voter' ? 'votes' : 'learns')
  }
  const who = (wanted: string): number[] => [...role].filter(([, is]) => is === wanted).map(([id]) => id)
  const voters = new Set(who('votes'))
  if (voters.size === 0) return 'no-voters'
  // Whoever has a vote in the outgoing half keeps it till that is left.
  const still = (id: number): boolean => isJoint && from.voters.has(id)
  return {
    voters,
    outgoing: isJoint ? from.voters : null,
    learners: new Set(who('learns').filter((id) => !still(id))),
    next: new Set(who('learns').filter(still)),
    leavesItself: isJoint && transition !== 'explicit',
  }
}

function left(from: Sets): Sets | 'not-joint' {
  if (from.outgoing === null) return 'not-joint'
  const learners = new Set([...from.learners, ...from.next])
  return { voters: from.voters, outgoing: null, learners, next: new Set(), leavesItself: false }
}

function append(model: Plain, log: Membership, config: Configuration | null, sets: Sets): void {
  log.append([entryOf(index(model.at.length), config)])
  model.at.push(sets)
}

function cut(model: Plain, log: Membership, back: number): void {
  const from = Math.max(model.purged + 1, model.at.length - back)
  log.truncate(index(from))
  model.at.length = Math.min(model.at.length, from)
}

function compact(model: Plain, log: Membership, keep: number): void {
  model.purged = Math.max(model.purged, model.at.length - 1 - keep)
  log.compact(index(model.purged))
}

/** A leader's snapshot: of what this log has, or of later indexes. */
function install(model: Plain, log: Membership, ahead: number): void {
  const sets = newest(model)
  const at = model.at.length + ahead
  while (model.at.length <= at) model.at.push(sets)
  model.purged = at
  log.restore(index(at), log.latest)
}

function newest(model: Plain): Sets {
  return model.at.at(-1) as Sets
}

function entryOf(at: Index, config: Configuration | null): RaftEntry {
  const head = { index: at, term: term(1) }
  if (config === null) return { ...head, kind: 'normal', data: new Uint8Array(0) }
  return { ...head, kind: 'configuration', data: encodeConfiguration(config) }
}

function setsOf({ voters, learners, learnersNext, autoLeave }: Configuration): Sets {
  return {
    voters: new Set(voters.incoming),
    outgoing: voters.outgoing.length === 0 ? null : new Set(voters.outgoing),
    learners: new Set(learners),
    next: new Set(learnersNext),
    leavesItself: autoLeave,
  }
}

function shown(sets: Sets | null): string {
  if (sets === null) return 'none'
  const { voters, outgoing, learners, next, leavesItself } = sets
  const list = (ids: ReadonlySet<number>): string => [...ids].sort((a, b) => a - b).join(',')
  const joint = outgoing === null ? '' : `&${list(outgoing)}`
  return `${list(voters)}${joint} learners ${list(learners)} next ${list(next)}${leavesItself ? ' auto' : ''}`
}
