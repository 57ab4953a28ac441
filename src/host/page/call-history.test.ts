import { expect, test } from 'vitest'
import { CallHistory } from './call-history.ts'
import type { CallNews, CallView } from './shapes.ts'

const news = (event: string, at: number, more: Partial<CallNews> = {}): CallNews => ({
  ...{ event, at, callId: 'c', from: 'sip:a@x', to: 'sip:b@x', started: 100 },
  ...more,
})

function view(owner: string, versions: Readonly<Record<string, number>>, stamp = 0): CallView {
  const entities = Object.entries(versions).map(([id, version]) => ({
    ...{ tree: 'Dialog', id, version, stamp },
    value: { kind: 'dialog', state: 'confirmed' },
  }))
  return { group: 'g', version: 1, owner, calls: [], entities, timers: [], intents: [] }
}

const lines = (history: CallHistory): readonly string[] =>
  history.steps.map((step) =>
    step.kind === 'message'
      ? `${step.at} ${step.from}>${step.to} ${step.label}`
      : `${step.at} ${step.kind === 'owner' ? step.life : step.label}`,
  )

test('a call from its INVITE to its BYE, hop by hop, whatever is told twice', () => {
  const history = new CallHistory()
  history.event(news('call-started', 100))
  history.event(news('call-ringing', 200))
  history.event(news('call-answered', 301, { answered: 300 }))
  history.event(news('call-answered', 301, { answered: 300 }))
  history.event(news('call-ended', 900, { answered: 300, cause: 'bye', by: 'callee', status: 200 }))
  expect(lines(history)).toEqual([
    '100 caller>set INVITE',
    '100 set>callee INVITE',
    '200 callee>set ringing',
    '200 set>caller ringing',
    '300 callee>set 2xx',
    '301 set>caller 2xx',
    '900 callee>set BYE',
    '900 set>caller BYE',
    '900 caller>set 200',
    '900 set>callee 200',
  ])
})

test.each([
  [{ cause: 'max-call', by: 'set' }, ['set>caller BYE (max-call)', 'set>callee BYE (max-call)']],
  [{ cause: 'timeout', by: 'set', status: 408 }, ['set>caller 408']],
  [{ cause: 'refused', by: 'callee', status: 486 }, ['callee>set 486', 'set>caller 486']],
  [{ cause: 'cancelled', by: 'caller', status: 487 }, ['caller>set CANCEL', 'set>callee CANCEL', 'set>caller 487']],
])('an end by %j', (end, expected) => {
  const history = new CallHistory()
  history.event(news('call-ended', 500, { ...end, answered: null }))
  expect(lines(history).slice(2)).toEqual(expected.map((line) => `500 ${line}`))
})

test('versions as they rise, entities as they go, and who has taken it over', () => {
  const history = new CallHistory()
  history.look(view('1.a.1', { d: 1 }, 100), 150)
  history.look(view('1.a.1', { d: 1 }, 100), 250)
  history.look(view('2.b.1', { d: 4, e: 1 }, 300), 350)
  history.look(view('2.b.1', { d: 4 }, 300), 450)
  history.over(500)
  expect(lines(history)).toEqual([
    '0 1.a.1',
    '100 Dialog d v1',
    '300 Dialog d v1 → v4',
    '300 Dialog e v1',
    '300 Dialog e is gone',
    '350 2.b.1',
    '500 the call is over',
  ])
})

test('a call that began before anybody looked: its session says when, and nothing leaves before its commit', () => {
  const history = new CallHistory()
  const session = { kind: 'session', state: 'CONFIRMED', began: 100, answered: 300 }
  const request = { tree: 'Transaction', id: '1.1', version: 1, stamp: 105, value: { kind: 'request' } }
  const entities = [{ tree: 'SipSession', id: '1', version: 3, stamp: 310, value: session }, request]
  history.look({ ...view('1.a.1', {}), entities }, 900)
  expect(lines(history)).toEqual([
    '0 1.a.1',
    '100 caller>set INVITE',
    '105 Transaction request 1.1 v1',
    '105 set>callee INVITE',
    '300 callee>set 2xx',
    '310 SipSession 1 v3',
    '310 set>caller 2xx',
  ])
})

test('a ladder is bounded', () => {
  const history = new CallHistory()
  for (let version = 1; version < 1_000; version++) history.look(view('1.a.1', { d: version }, version), version)
  expect(history.steps).toHaveLength(200)
})
