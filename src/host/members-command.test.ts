import { afterEach, beforeEach, expect, test } from 'vitest'
import { replicaId } from '../base/brand.ts'
import type { MembersView, MemberView } from '../wire/member-request.ts'
import { membersMain } from './members-command.ts'
import { adminStage } from './testing/admin-stage.ts'
import type { Answer } from './testing/admin-stage.ts'

const HOST = '127.40.7.1'
const { begin, end, written, play } = adminStage(HOST, membersMain)
beforeEach(begin)
afterEach(end)

const member = (place: number, change: Partial<MemberView> = {}): MemberView => ({
  place,
  id: replicaId(place),
  generation: 0,
  role: 'voter',
  wanted: true,
  serves: true,
  stage: { kind: 'done' },
  match: null,
  lag: null,
  peer: '',
  admin: '',
  ...change,
})

/** An admin address, `up`'s or a replica's, of a set with these members; orders get these answers, one after another. */
function scene(members: readonly MemberView[], answers: readonly Answer[], isUp = true): ReturnType<typeof play> {
  const view: MembersView = { leader: 1, voters: [1, 2, 3], learners: [], joint: false, members }
  const status = isUp ? members.map(({ place }) => ({ replica: place })) : { replica: 1 }
  return play({ '/status': status, '/members': view }, answers)
}

const stage = (kind: string, said: string): Answer => ({
  status: kind === 'done' ? 200 : 202,
  body: { ok: true, place: 4, id: null, stage: { kind }, said },
})

const three = [member(1), member(2), member(3, { serves: false, generation: 2 })]

test('list shows each replica, and who leads', async () => {
  const { run } = await scene(three, [])
  expect(await run('list')).toBe(0)
  expect(written.out.split('\n').map((line) => line.split(/ {2,}/).slice(0, 5))).toEqual([
    ['replica', 'disk', 'role', 'leads', 'serves'],
    ['1', '0', 'voter', 'yes', 'yes'],
    ['2', '0', 'voter', 'yes', '-'],
    ['3', '2', 'voter', '-', 'done'],
    [''],
  ])
})

test('an order is given again until it is done, each stage is told once; without a leader it is only given again', async () => {
  const busy = { status: 503, body: { ok: false, error: 'no leader is known' } }
  const answers = [stage('awaited', 'it is awaited'), busy, stage('awaited', 'it is awaited'), stage('done', 'done')]
  const { run, orders } = await scene(three, answers)
  expect(await run('add')).toBe(0)
  expect(orders).toEqual(Array.from({ length: 4 }, () => '/members/add {"place":4}'))
  expect(written.out).toBe('it is awaited\ndone\n')
})

test('what goes on to hold it up is told, once', async () => {
  const busy = { status: 503, body: { ok: false, error: 'no leader is known' } }
  const { run } = await scene(three, [busy, busy, busy, stage('done', 'done')])
  expect(await run('add')).toBe(0)
  expect(written.out).toBe('no leader is known\ndone\n')
})

test('a replacement names who is replaced, so that it is not done twice', async () => {
  const { run, orders } = await scene([member(1), member(2, { id: replicaId(1_002) })], [stage('done', 'done')])
  expect(await run('replace', '2')).toBe(0)
  expect(orders).toEqual(['/members/replace {"place":2,"id":1002,"peer":null,"admin":null}'])
})

test('a refusal is told, with exit code 1', async () => {
  const { run } = await scene(three, [{ status: 409, body: { ok: false, error: 'replica 1 is the last voter' } }])
  expect(await run('remove', '1')).toBe(1)
  expect(written.errors).toBe('holdfast members remove: replica 1 is the last voter\n')
})

test.each([
  [['remove'], 'which replica? holdfast members remove ID: one of 1, 2, 3'],
  [['add', '4', '--peer-address', 'here'], '"here" is not HOST:PORT'],
  [['shrink'], 'unknown command "shrink"'],
  [['list', '--sorted'], 'unknown option --sorted'],
])('%j is wrong usage: %s', async (args, said) => {
  const { run, orders } = await scene(three, [])
  expect(await run(...args)).toBe(64)
  expect(written.errors).toContain(said)
  expect(orders).toEqual([])
})

test('a replica alone must be told where one more is; an up knows', async () => {
  const { run, orders } = await scene(three, [stage('done', 'done')], false)
  expect(await run('add')).toBe(64)
  expect(written.errors).toContain('--peer-address')
  const [peer, admin] = ['127.0.0.1:8164', '127.0.0.1:8064']
  expect(await run('add', '4', '--peer-address', peer, '--admin-address', admin)).toBe(0)
  expect(orders).toEqual([`/members/add {"place":4,"peer":"${peer}","admin":"${admin}"}`])
})

test('nobody there is told with what to try', async () => {
  expect(await membersMain(['list', '--admin', `${HOST}:9`])).toBe(1)
  expect(written.errors).toContain(`nobody answers at ${HOST}:9 (not running): does holdfast up run there?`)
})
