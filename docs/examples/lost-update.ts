// A lost update, found: docs/PROPERTY-TESTING.md tells this example. It prints what fast-check found.

import fc from 'fast-check'
import { checkHistory, commandsFor, playConcurrently, sessionHistory } from 'holdfast/sim'
import type { AsyncVersionedStore, Versioned } from 'holdfast/sim'

/** Where the store keeps its rows: a table behind a network. An empty value marks a deleted session. */
interface Table {
  read(key: string): Promise<Versioned>
  write(key: string, row: Versioned): Promise<void>
  /** Writes only if the row is still at this version. */
  writeIf(key: string, version: number, row: Versioned): Promise<boolean>
}

/** A session store as one writes it on a Friday. */
class SessionStore implements AsyncVersionedStore {
  readonly table: Table

  constructor(table: Table) {
    this.table = table
  }

  async get(session: string): Promise<Versioned | null> {
    const row = await this.table.read(session)
    return row.value === '' ? null : row
  }

  async put(session: string, value: string): Promise<number> {
    for (;;) {
      const row = await this.table.read(session)
      if (await this.write(session, row, value)) return row.version + 1
    }
  }

  async compareAndPut(session: string, expected: number, value: string): Promise<number | null> {
    const row = await this.table.read(session)
    if (versionOf(row) !== expected) return null
    return (await this.write(session, row, value)) ? row.version + 1 : null
  }

  async delete(session: string, expected: number): Promise<boolean> {
    const row = await this.table.read(session)
    return versionOf(row) === expected && this.write(session, row, '')
  }

  // Deliberately wrong: somebody may have written since the row was read.
  async write(session: string, { version }: Versioned, value: string): Promise<boolean> {
    await this.table.write(session, { version: version + 1, value })
    return true
  }
}

class MendedStore extends SessionStore {
  override async write(session: string, { version }: Versioned, value: string): Promise<boolean> {
    return this.table.writeIf(session, version, { version: version + 1, value })
  }
}

function versionOf(row: Versioned): number {
  return row.value === '' ? 0 : row.version
}

/** The table; `delay` decides when a request gets through to it. */
function tableOf(delay: () => Promise<void>): Table {
  const rows = new Map<string, Versioned>()
  const rowOf = (key: string): Versioned => rows.get(key) ?? { version: 0, value: '' }
  return {
    read: (key) => delay().then(() => rowOf(key)),
    write: (key, row) => delay().then(() => void rows.set(key, row)),
    async writeIf(key, version, row) {
      await delay()
      if (rowOf(key).version !== version) return false
      rows.set(key, row)
      return true
    },
  }
}

// One owner at a time, each answer compared with a model: the wrong store is right.
const { commands, setup } = commandsFor(() => new SessionStore(tableOf(async () => {})))
await fc.assert(fc.asyncProperty(commands, (all) => fc.asyncModelRun(setup, all)))
console.log('one at a time: nothing is lost')

// Several owners at a time; fast-check decides whose request gets through next.
const concurrently = (Store: typeof SessionStore) =>
  fc.asyncProperty(sessionHistory(), fc.scheduler(), async (history, scheduler) => {
    const store = new Store(tableOf(scheduler.scheduleFunction(async () => {})))
    const loss = checkHistory(await playConcurrently(history, store, scheduler))
    if (loss !== null) throw new Error(loss.text)
  })

const { errorInstance, counterexample } = await fc.check(concurrently(SessionStore), {
  seed: 5,
  interruptAfterTimeLimit: 1_000,
})
console.log(`several at a time: ${errorInstance instanceof Error ? errorInstance.message : 'nothing is lost'}`)
console.log(`the smallest history that shows it: ${fc.stringify(counterexample?.[0])}`)

await fc.assert(concurrently(MendedStore))
console.log('mended, several at a time: nothing is lost')
