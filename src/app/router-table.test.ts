import { expect, test } from 'vitest'
import type { RouterTable } from '../proxy/chain.ts'
import { phone, request } from '../call/testing/phone.ts'
import type { NextQuestion } from './contract.ts'
import { readTable } from './router-table.ts'

const text = (method: string): string => request(phone('caller', '127.0.0.2', 5062), method, 'sip:callee@127.0.0.1')
const table: RouterTable = {
  INVITE: [
    { application: 'a', region: 'originating', subscriber: 'from' },
    { application: 'b', region: 'neutral', subscriber: '' },
    { application: 'c', region: 'terminating', subscriber: 'to' },
  ],
  '*': [{ application: 'd', region: 'neutral', subscriber: '' }],
}
const fresh: NextQuestion = { text: text('INVITE'), directive: 'NEW', region: null, stateInfo: null }
const of = (question: Partial<NextQuestion>): unknown => readTable(table, { ...fresh, ...question })

test('[JSR 30] appendix C: the list of the method, one after another', () => {
  expect(of({})).toEqual({
    application: 'a',
    region: 'originating',
    subscriberURI: 'sip:caller@example.com',
    stateInfo: 0,
  })
  expect(of({ directive: 'CONTINUE', stateInfo: 0 })).toMatchObject({
    application: 'b',
    subscriberURI: '',
    stateInfo: 1,
  })
  expect(of({ directive: 'CONTINUE', stateInfo: 1 })).toMatchObject({
    application: 'c',
    subscriberURI: 'sip:callee@example.com',
  })
  expect(of({ directive: 'CONTINUE', stateInfo: 2 })).toBeNull()
  // What comes anew begins anew, whatever was said.
  expect(of({ stateInfo: 2 })).toMatchObject({ application: 'a' })
})

test("[JSR 30] methods without a list are those of *; without that, nobody's", () => {
  expect(of({ text: text('MESSAGE') })).toMatchObject({ application: 'd' })
  expect(readTable({ INVITE: [] }, { ...fresh, text: text('MESSAGE') })).toBeNull()
})

test("[JSR 30] REVERSE begins with the other side's applications; without a side, with all", () => {
  const back = { directive: 'REVERSE' } as const
  expect(of({ ...back, region: 'originating', stateInfo: 0 })).toMatchObject({ application: 'c', stateInfo: 2 })
  expect(of({ ...back, region: 'terminating', stateInfo: 2 })).toMatchObject({ application: 'a', stateInfo: 0 })
  expect(of({ ...back, region: 'neutral', stateInfo: 1 })).toMatchObject({ application: 'a' })
})
