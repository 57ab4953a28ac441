// The format that the set writes (wire/formats.ts), as this replica sees it: what it reads of the log, when a leader raises the
// format, and who hears of it. A raise is an entry: from it on every replica writes that format, so all of them must read it
// before. Nothing lowers it again, as the log may hold what a release with a lower one can't read.

import { placeOf } from '../base/brand.ts'
import type { ReplicaId } from '../base/brand.ts'
import { between } from '../base/instant.ts'
import type { Instant } from '../base/instant.ts'
import type { RaftEntry } from '../raft/message.ts'
import type { Raft } from '../raft/raft.ts'
import { membersOf } from '../raft/configuration.ts'
import type { Store } from '../store/store.ts'
import { decodeEntry, formatOfEntry } from '../wire/codec.ts'
import type { Entry, Raise } from '../wire/entry.ts'
import { unreadable } from '../wire/formats.ts'
import type { Formats } from '../wire/formats.ts'
import { limits } from './limits.ts'
import type { Links } from './links.ts'
import type { Outbox } from './outbox.ts'

export interface UpgradePorts {
  readonly life: string
  readonly store: Store
  readonly raft: Raft
  readonly links: Links
  readonly outbox: Outbox
  /** What this replica reads. */
  readonly formats: Formats
}

export class Upgrade {
  readonly #ports: UpgradePorts
  #told = 0
  #isStopped = false
  /** Members that an operator has given up: they need not read the next format. */
  readonly #excused = new Set<ReplicaId>()

  constructor(ports: UpgradePorts) {
    this.#ports = ports
  }

  /** The log goes on in what this replica can't read: it applies nothing more, and ends. */
  get isStopped(): boolean {
    return this.#isStopped
  }

  /** An entry, as every replica reads it at this place of the log; null = it does nothing, anywhere. By what the log says, never by
   * what this release knows: what is ahead of the set's format is nothing to those who could read it, too. */
  read({ index, data }: RaftEntry): Entry | null {
    const { formats, store, outbox } = this.#ports
    const format = formatOfEntry(data)
    if (format > 0 && format < formats.oldest) return this.#stop(`entry ${index} has`, format)
    const decoded = decodeEntry(data, { oldest: formats.oldest, newest: store.format })
    if (!decoded.ok) {
      outbox.log('error', 'entry-unreadable', `entry ${index} can't be read: ${decoded.error}`)
      return null
    }
    const { body } = decoded.value
    const isNext = body.kind === 'raise' && body.format === store.format + 1
    if (isNext && body.format > formats.newest) return this.#stop(`from entry ${index} on the set writes`, body.format)
    return decoded.value
  }

  /** What a leader is to propose: the next format, once all members are up and read it; null = nothing. A link that is up may be
   * half of one, to a process that another release has followed: what counts is that it was heard just now. */
  due(now: Instant): Raise | null {
    const { formats, store } = this.#ports
    const next = store.format + 1
    return formats.newest >= next && this.#lacking(now).length === 0 ? { kind: 'raise', format: next } : null
  }

  /** The set is to go on without that member, which is not heard: so it is not waited for. Should it come back with a release that
   * doesn't read what the set writes by then, nobody listens to it. */
  excuse(member: ReplicaId): void {
    this.#excused.add(member)
  }

  /** Why the leader doesn't raise the format, with the fix. */
  held(now: Instant): string {
    const { formats, store } = this.#ports
    const at = `the set writes format ${store.format}, which has no changes of the set`
    if (formats.newest <= store.format)
      return `${at}, and formats.most keeps it there: take that out of the config files`
    const lacking = this.#lacking(now).map(placeOf).join(', ')
    if (lacking === '') return `${at}, and is about to write the next one: ask again`
    const fix = `start ${lacking} with this release, or give up what is lost for good: holdfast members replace`
    return `${at} while ${lacking} is down or runs an older release: ${fix}`
  }

  /** Those that must read the next format, and were not heard just now, or don't. */
  #lacking(now: Instant): readonly ReplicaId[] {
    const { store, raft, links } = this.#ports
    const { id, configuration, heard } = raft.status()
    const isReady = (member: ReplicaId): boolean => {
      const at = heard.get(member)
      if (this.#excused.has(member) && !links.isUp(member)) return true
      return at !== undefined && between(at, now) < limits.silence && links.newestFormat(member) > store.format
    }
    return membersOf(configuration).filter((member) => member !== id && !isReady(member))
  }

  /** Whoever must know hears which format the set writes. */
  tell(): void {
    const { store, links, outbox } = this.#ports
    const { format } = store
    if (format === this.#told) return
    links.format = format
    outbox.push({ kind: 'notice', notice: { kind: 'format', active: format } })
    if (this.#told > 0) {
      const said = `the set writes format ${format} from now on: a release that does not read it can't take part any more`
      outbox.log('info', 'format-raised', said, { format, index: store.appliedIndex })
    }
    this.#told = format
  }

  #stop(what: string, format: number): null {
    this.#isStopped = true
    const reason = `${what} ${unreadable(format, this.#ports.formats)}`
    this.#ports.outbox.push({ kind: 'stop', cause: 'fault', reason })
    return null
  }
}
