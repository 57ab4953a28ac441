// Other sessions than the handler's own, with a replica that answers as it is told to.

import { expect, test } from 'vitest'
import type { Op, SessionView } from '../app/contract.ts'
import type { LookupAnswer, Order, OrderAnswer } from '../app/orders.ts'
import { index } from '../base/brand.ts'
import type { FoundSession, HandlerContext } from './api.ts'
import { defineApplication } from './application.ts'
import { servletLimits } from './limits.ts'
import type { SessionPorts } from './other-sessions.ts'
import { beginTurn } from './run-handler.ts'
import { call, message, sessionView, view } from './testing/turn.ts'

const at = index(7)
const other = (given: Partial<SessionView> = {}): SessionView =>
  view({ id: 'other', key: 'bob', version: 3, sessions: [], ...given })
const with1 = (n: number, version: number): SessionView => other({ version, attributes: [{ name: 'n', value: n }] })
const done = (shown: SessionView | null): OrderAnswer => ({ kind: 'done', view: shown, index: at, created: false })
const conflict = (shown: SessionView | null): OrderAnswer => ({ kind: 'conflict', view: shown, index: at, reason: 'c' })

interface Replica extends SessionPorts {
  readonly orders: Order[]
}

function replica(found: LookupAnswer, ...answers: readonly OrderAnswer[]): Replica {
  const orders: Order[] = []
  return {
    orders,
    look: () => Promise.resolve(found),
    order: (order) => {
      orders.push(order)
      return Promise.resolve(answers[orders.length - 1] ?? done(other()))
    },
  }
}

const seen = (shown: SessionView | null): LookupAnswer => ({ kind: 'seen', view: shown, index: at })

/** What a handler that does this gives back. */
async function handled<T>(ports: SessionPorts, doIt: (context: HandlerContext) => Promise<T>): Promise<T> {
  const application = defineApplication({ name: 'shop', doInvite: (_request, context) => doIt(context) })
  const begun = beginTurn(application, call('doInvite', { application: 'shop', message: message() }), ports)
  const result = (await begun.result) as T
  expect(begun.finish()).toEqual([])
  return result
}

const bob = async (context: HandlerContext): Promise<FoundSession> => {
  const found = await context.sessions.getApplicationSessionByKey('bob')
  if (found === null) throw new Error('nobody found')
  return found
}
const addOne = (found: FoundSession): PromiseLike<FoundSession | null> =>
  found.update((session) => session.setAttribute('n', Number(session.getAttribute('n') ?? 0) + 1))
const attribute = (ops: readonly Op[]): unknown => ops.flatMap((op) => (op.kind === 'set-attribute' ? [op.value] : []))

test('[JSR 25] a session is found by id or key, to be read; null = there is none', async () => {
  const ports = replica(seen(with1(5, 3)))
  await handled(ports, async (context) => {
    const found = await bob(context)
    expect([found.id, found.version, found.session.key, found.session.getAttribute('n')]).toEqual([
      'other',
      3,
      'bob',
      5,
    ])
    expect(() => found.session.setAttribute('n', 6)).toThrow(/change it in its update/)
    expect((await context.sessions.getApplicationSessionById('other'))?.id).toBe('other')
  })
  const none = replica(seen(null))
  expect(await handled(none, (context) => Promise.resolve(context.sessions.getApplicationSessionById('x')))).toBeNull()
})

test('an update is one order that expects all versions of what it was made on, and gives the session after it', async () => {
  const ports = replica(seen(with1(5, 3)), done(with1(6, 4)))
  const after = await handled(ports, async (context) => await addOne(await bob(context)))
  expect([after?.version, after?.session.getAttribute('n')]).toEqual([4, 6])
  expect(ports.orders).toEqual([
    {
      application: 'shop',
      version: expect.any(String),
      target: { kind: 'id', id: 'other' },
      ops: [
        { kind: 'expect-version', of: '', version: 3 },
        { kind: 'set-attribute', of: '', name: 'n', value: 6 },
      ],
    },
  ])
})

test('an update expects its SipSessions as they were, too', async () => {
  const ports = replica(seen(other({ sessions: [sessionView({ id: '4', version: 9 })] })))
  await handled(ports, async (context) => await addOne(await bob(context)))
  expect(ports.orders[0]?.ops).toContainEqual({ kind: 'expect-version', of: '4', version: 9 })
})

test('where somebody else was faster it is made on what there is then; a session that has ended is null', async () => {
  const ports = replica(seen(with1(5, 3)), conflict(with1(8, 4)), conflict(with1(9, 5)), done(with1(10, 6)))
  expect((await handled(ports, async (context) => await addOne(await bob(context))))?.version).toBe(6)
  expect(ports.orders.map(({ ops }) => attribute(ops))).toEqual([[6], [9], [10]])
  for (const answer of [conflict(null), done(null), { kind: 'gone', index: at, reason: 'g' } as const]) {
    const ended = replica(seen(with1(5, 3)), answer)
    expect(await handled(ended, async (context) => await addOne(await bob(context)))).toBeNull()
  }
})

test('what can not be done is said: too many were faster, no answer in time, a change that waits, the own session', async () => {
  const busy = replica(seen(with1(1, 1)), ...Array.from({ length: servletLimits.updates }, () => conflict(with1(1, 1))))
  const update = async (context: HandlerContext): Promise<unknown> => await addOne(await bob(context))
  await expect(handled(busy, update)).rejects.toThrow(/others were faster 8 times/)
  expect(busy.orders).toHaveLength(servletLimits.updates)
  const open = { kind: 'refused', reason: 'no owner has done it in time', again: true, isOpen: true } as const
  await expect(handled(replica(seen(with1(1, 1)), open), update)).rejects.toThrow(/may have been done/)
  const unknown = { kind: 'unknown', reason: 'no quorum confirmed: ask again' } as const
  await expect(handled(replica(unknown), update)).rejects.toThrow(/no quorum/)
  const waits = async (context: HandlerContext): Promise<unknown> => (await bob(context)).update(async () => {})
  await expect(handled(replica(seen(with1(1, 1))), waits)).rejects.toThrow(/may not be async/)
  const own = replica(seen(view({ id: call('doInvite').view.id })))
  await expect(handled(own, update)).rejects.toThrow(/would wait for itself/)
})

test('[JSR 12] create by key, and a session without a key, are orders without operations', async () => {
  const ports = replica(seen(null))
  await handled(ports, async (context) => {
    await context.sessions.getApplicationSessionByKey('bob', true)
    await context.sessions.createApplicationSession()
  })
  expect(ports.orders.map(({ target, ops }) => [target, ops])).toEqual([
    [{ kind: 'key', key: 'bob', create: true }, []],
    [{ kind: 'new' }, []],
  ])
})

test('after its turn a handler asks for nothing any more; without a set nobody can be asked', async () => {
  let kept: HandlerContext | null = null
  await handled(replica(seen(null)), (context) => Promise.resolve(void (kept = context)))
  expect(() => (kept as HandlerContext | null)?.sessions.getApplicationSessionById('x')).toThrow(
    /turn of the handler is over/,
  )
  const alone = defineApplication({
    name: 'shop',
    doInvite: (_request, context) => context.sessions.createApplicationSession(),
  })
  expect(() => beginTurn(alone, call('doInvite', { message: message() }))).toThrow(/only in a running set/)
})
