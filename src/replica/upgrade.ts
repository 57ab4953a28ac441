// The format that the set writes (wire/formats.ts), as this replica sees it: what it reads of the log, when a leader raises the
// format, and who hears of it. A raise is an entry: from it on every replica writes that format, so all of them must read it
// before. Nothing lowers it again, as the log may hold what a release with a lower one can't read.

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
    const { formats, store, raft, links } = this.#ports
    const next = store.format + 1
    if (formats.newest < next) return null
    const { id, configuration, heard } = raft.status()
    const isReady = (member: ReplicaId): boolean => {
      const at = heard.get(member)
      return at !== undefined && between(at, now) < limits.silence && links.newestFormat(member) >= next
    }
    return membersOf(configuration).every((member) => member === id || isReady(member))
      ? { kind: 'raise', format: next }
      : null
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
