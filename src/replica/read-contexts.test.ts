import { expect, test } from 'vitest'
import { must } from '../base/assert.ts'
import { seconds } from '../base/instant.ts'
import { Bench } from './testing/bench.ts'

test('thesis 6.4: no life asks for a read barrier with a number that another has used (test/raft/scripts/read-restart.txt)', () => {
  const bench = new Bench().begin()
  const asker = must(bench.followers()[0], 'a follower')
  const lives: number[][] = []
  bench.loses = (frame, from) => {
    const messages = frame.kind === 'raft' && from === asker ? frame.messages : []
    for (const message of messages) if (message.kind === 'read-index') lives.at(-1)?.push(message.context)
    return false
  }
  for (let start = 0; start < 3; start++) {
    lives.push([])
    bench.kill(asker)
    bench.restart(asker)
    bench.step(asker, { kind: 'admin', id: start, query: { kind: 'calls' } })
    bench.pass(seconds(1))
  }
  const all = lives.flat()
  for (const asked of lives) expect(asked.length).toBeGreaterThan(1)
  expect(new Set(all).size).toBe(all.length)
})
