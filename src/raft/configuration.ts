// Who is in the set: a configuration (thesis chapter 4; etcd's tracker.Config), its bytes in a `configuration` entry, and its
// text. An entry carries the whole configuration, not the change that made it: so the newest one in the log is in force from
// the moment it is appended (thesis 4.1), and cutting it off the log brings the one before it back.

import type { ReplicaId } from '../base/brand.ts'
import { replicaId } from '../base/brand.ts'
import type { Result } from '../base/result.ts'
import { err, ok } from '../base/result.ts'
import type { VoterSet } from './quorum.ts'
import { allVoters, sortedIds, voterSet } from './quorum.ts'

export interface Configuration {
  /** While `outgoing` isn't empty the configuration is joint (thesis 4.3). */
  readonly voters: VoterSet
  /** Get the log and don't vote. Invariant: sorted, none is a voter. */
  readonly learners: readonly ReplicaId[]
  /** Voters of `outgoing` that become learners when the joint configuration is left. Invariant: sorted. */
  readonly learnersNext: readonly ReplicaId[]
  /** The leader leaves the joint configuration as soon as it is committed. */
  readonly autoLeave: boolean
}

/** What a replica has that joins a set of which it knows nothing. */
export const noConfiguration: Configuration = {
  voters: { incoming: [], outgoing: [] },
  learners: [],
  learnersNext: [],
  autoLeave: false,
}

/** A configuration that isn't joint. */
export function configuration(voters: readonly ReplicaId[], learners: readonly ReplicaId[] = []): Configuration {
  if (voters.length === 0 && learners.length === 0) return noConfiguration
  return { ...noConfiguration, voters: voterSet(voters), learners: sortedIds(learners) }
}

export function isJoint(config: Configuration): boolean {
  return config.voters.outgoing.length > 0
}

/** Everyone who gets the log, sorted. */
export function membersOf(config: Configuration): readonly ReplicaId[] {
  const voters = allVoters(config.voters)
  return config.learners.length === 0 ? voters : sortedIds([...voters, ...config.learners])
}

/** What is wrong with a configuration, or null. */
export function configurationFault(config: Configuration): string | null {
  const { voters, learners, learnersNext, autoLeave } = config
  const all = allVoters(voters)
  if (voters.incoming.length === 0) return 'it has no voters'
  const learning = learners.find((id) => all.includes(id))
  if (learning !== undefined) return `${learning} is a voter and a learner`
  if (!learnersNext.every((id) => voters.outgoing.includes(id) && !voters.incoming.includes(id)))
    return 'a voter of no outgoing half is to become a learner'
  if (!isJoint(config) && autoLeave) return 'it is not joint, and is to be left'
  return [voters.incoming, voters.outgoing, learners, learnersNext].every(isSorted) ? null : 'its ids are not sorted'
}

/** `1,2,3`, joint `1,2,4&1,2,3`. */
export function formatVoters(voters: VoterSet): string {
  const incoming = voters.incoming.join(',') || '-'
  return voters.outgoing.length === 0 ? incoming : `${incoming}&${voters.outgoing.join(',')}`
}

/** `voters=1,2,4&1,2,3 learners=5 next=3 auto-leave`: what is empty is left out. */
export function formatConfiguration(config: Configuration): string {
  const list = (name: string, ids: readonly ReplicaId[]): string =>
    ids.length === 0 ? '' : ` ${name}=${ids.join(',')}`
  const rest = list('learners', config.learners) + list('next', config.learnersNext)
  return `voters=${formatVoters(config.voters)}${rest}${config.autoLeave ? ' auto-leave' : ''}`
}

/** The first byte of an encoded configuration. Another layout gets another number. */
const VERSION = 1
const MOST_IDS = 255
const GREATEST_ID = 0xff_ff_ff_ff

/** Version, auto-leave, then four lists: a count and four bytes an id. */
export function encodeConfiguration(config: Configuration): Uint8Array {
  const { voters, learners, learnersNext, autoLeave } = config
  const lists = [voters.incoming, voters.outgoing, learners, learnersNext]
  const bytes = [VERSION, autoLeave ? 1 : 0]
  for (const ids of lists) {
    bytes.push(ids.length)
    for (const id of ids) bytes.push((id >>> 24) & 255, (id >>> 16) & 255, (id >>> 8) & 255, id & 255)
  }
  return Uint8Array.from(bytes)
}

export function decodeConfiguration(bytes: Uint8Array): Result<Configuration, string> {
  if (bytes[0] !== VERSION) return err(`a configuration of version ${bytes[0] ?? 'none'}, known is ${VERSION}`)
  const lists: ReplicaId[][] = []
  let at = 2
  while (lists.length < 4 && at < bytes.length) {
    const count = bytes[at++] as number
    if (at + count * 4 > bytes.length) break
    const ids: ReplicaId[] = []
    for (const end = at + count * 4; at < end; at += 4) ids.push(idAt(bytes, at))
    lists.push(ids)
  }
  const [incoming, outgoing, learners, learnersNext] = lists
  if (learnersNext === undefined || at !== bytes.length) return err('a configuration whose length is wrong')
  if (incoming === undefined || outgoing === undefined || learners === undefined || (bytes[1] ?? 2) > 1)
    return err('a configuration with a wrong flag')
  const config = { voters: { incoming, outgoing }, learners, learnersNext, autoLeave: bytes[1] === 1 }
  const fault = configurationFault(config)
  return fault === null ? ok(config) : err(`a configuration that is none: ${fault}`)
}

function idAt(bytes: Uint8Array, at: number): ReplicaId {
  const [a, b, c, d] = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]] as [number, number, number, number]
  return replicaId(((a << 24) | (b << 16) | (c << 8) | d) >>> 0)
}

function isSorted(ids: readonly ReplicaId[]): boolean {
  const isId = (id: number): boolean => Number.isInteger(id) && id > 0 && id <= GREATEST_ID
  return ids.length <= MOST_IDS && ids.every((id, at) => isId(id) && (at === 0 || id > (ids[at - 1] as number)))
}
