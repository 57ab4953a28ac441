// Banned sources (decision 0030): what this replica takes nothing from. The list is a group like any other: its owner makes its commits,
// asked by orders (orders.ts), and every replica reads what it has applied.

import type { Stamp } from '../base/instant.ts'
import { BANS, timerOf } from '../call/bans.ts'
import { entityValue } from '../call/entities.ts'
import { isListed, parseBlock } from '../proxy/access.ts'
import type { AccessList } from '../proxy/access.ts'
import type { Store } from '../store/store.ts'
import type { Applied } from '../store/view.ts'

/** One row of the list, in cluster time. */
export interface BanView {
  readonly source: string
  readonly since: Stamp
  /** Null = until it is taken back. */
  readonly until: Stamp | null
}

export class Bans {
  readonly #store: Store
  /** Null = it is to be read anew. */
  #list: AccessList | null = null

  constructor(store: Store) {
    this.#store = store
  }

  isBanned(host: string): boolean {
    this.#list ??= bansOf(this.#store).flatMap(({ source }) => {
      const block = parseBlock(source)
      return block.ok ? [block.value] : []
    })
    return this.#list.length > 0 && isListed(this.#list, host)
  }

  applied(applied: Applied): void {
    const isOurs =
      (applied.kind === 'commit' && applied.commit.group === BANS) ||
      (applied.kind === 'pulse' && applied.fired.some(({ group }) => group === BANS))
    if (isOurs) this.#list = null
  }

  storeReplaced(): void {
    this.#list = null
  }
}

/** The list as that store has it, in the order of its sources. */
export function bansOf(store: Store): readonly BanView[] {
  const view = store.group(BANS)
  if (view === null) return []
  const ends = new Map(view.timers.map(({ id, deadline }) => [id, deadline]))
  return view.entities
    .flatMap((entity) => {
      const value = entityValue(entity)
      if (value?.kind !== 'ban') return []
      const { source, since } = value
      return [{ source, since, until: ends.get(timerOf(source)) ?? null }]
    })
    .sort((a, b) => (a.source < b.source ? -1 : 1))
}
