import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { readOptions } from './options.ts'
import type { SetEvent } from './set-process.ts'
import { UP_OPTIONS } from './settings.ts'
import { configOf, planUp } from './up-config.ts'
import { jsonOutput, plainOutput } from './up-output.ts'

const events: readonly SetEvent[] = [
  { event: 'replica', id: 1, pid: 11, admin: 'http://127.0.0.1:8061', peer: '127.0.0.1:8161' },
  { event: 'replica', id: 2, pid: 12, admin: 'http://127.0.0.1:8062', peer: '127.0.0.1:8162' },
  { event: 'leader', id: 2, term: 3 },
  { event: 'ready', sip: '127.0.0.10:5060', leader: 2 },
  { event: 'exit', id: 1, signal: 'SIGKILL' },
]

function plain(args: readonly string[]) {
  const given = readOptions({ name: '', summary: '', options: UP_OPTIONS }, args)
  const plan = given.ok ? planUp(given.value) : given
  const config = configOf(must(plan.ok ? plan.value : null, 'a good command line'), { set: 'abc', secret: '' }, '/data')
  const lines: string[] = []
  return { output: plainOutput(config, '/data', (line) => void lines.push(line)), lines }
}

test('--json: an event is a line, and nothing else is', () => {
  const lines: string[] = []
  const output = jsonOutput((line) => void lines.push(line))
  for (const event of events) output.say(event)
  output.end()
  expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(events)
})

test('for a person: the lines that start a callee, place a call, show the status and kill each replica', () => {
  const { output, lines } = plain(['--next-hop', '127.0.0.1:5070'])
  for (const event of events) output.say(event)
  const text = lines.join('\n')
  expect(text).toContain('ready: SIP on 127.0.0.10:5060')
  expect(text).toContain('sipp -sn uas -i 127.0.0.1 -p 5070')
  expect(text).toContain('sipp -sn uac -i 127.0.0.1 -p 5080 -d 10000 -m 1 127.0.0.10:5060')
  expect(text).toContain('curl http://127.0.0.1:8060/status')
  expect(text).toContain('kill -9 11   (replica 1)')
  expect(text).toContain('kill -9 12   (replica 2)')
  expect(lines.at(-1)).toBe('replica 1 ended: SIGKILL; it starts again in 5 s')
})

test('nothing is promised to start again when the set ends, or never restarts', () => {
  const ending = plain([])
  ending.output.end()
  ending.output.say({ event: 'exit', id: 1, code: 0 })
  expect(ending.lines.at(-1)).toBe('replica 1 ended: exit code 0')
  const never = plain(['--restart', 'never'])
  never.output.say({ event: 'exit', id: 1, code: 70 })
  expect(never.lines.at(-1)).toBe('replica 1 ended: exit code 70')
})
