import { expect, test } from 'vitest'
import { index } from '../base/brand.ts'
import type { Store } from '../store/store.ts'
import { Audit } from './audit.ts'
import { Outbox } from './outbox.ts'

/** A store at that index, with that hash. */
function around(): { readonly audit: Audit; readonly outbox: Outbox; readonly store: { at: number; hash: string } } {
  const store = { at: 0, hash: '' }
  const outbox = new Outbox()
  const view = {
    get appliedIndex() {
      return index(store.at)
    },
    hash: () => store.hash,
  }
  return { audit: new Audit(view as unknown as Store, outbox), outbox, store }
}

test('a leader whose store came to another hash with the same pulse is told, with both', () => {
  const { audit, outbox, store } = around()
  Object.assign(store, { at: 5, hash: 'aa' })
  audit.pulsed(null)
  expect(audit.mark).toEqual({ index: 5, hash: 'aa' })
  Object.assign(store, { at: 9, hash: 'bb' })
  audit.pulsed({ index: index(5), hash: 'cc' })
  expect(outbox.counters()).toEqual([['stores_differ', 1]])
  expect(outbox.take()).toMatchObject([
    { kind: 'log', level: 'error', code: 'store-differs', fields: { index: 5, own: 'aa', leader: 'cc' } },
  ])
})

test('equal hashes are nothing to tell, nor is a pulse that this replica did not apply', () => {
  const { audit, outbox, store } = around()
  audit.pulsed({ index: index(3), hash: 'xx' })
  Object.assign(store, { at: 5, hash: 'aa' })
  audit.pulsed({ index: index(4), hash: 'xx' })
  audit.pulsed({ index: index(5), hash: 'aa' })
  audit.pulsed(null)
  expect(outbox.take()).toEqual([])
})
