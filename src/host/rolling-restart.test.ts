import { expect, test } from 'vitest'
import { RollingRestart } from './rolling-restart.ts'
import type { RollStatus } from './rolling-restart.ts'

/** A set in which replica `leader` leads; a replica that is cycled comes back as its next life, unless it `stays` away. */
function scene({ leader = 1, stays = 0, absent = 0 } = {}) {
  const starts = new Map([1, 2, 3].map((id) => [id, 1]))
  const away = new Set(absent === 0 ? [] : [absent])
  const cycled: number[] = []
  const lifeOf = (id: number): string => `${id}.aa.${starts.get(id)}`
  const roll = new RollingRestart({
    replicas: [1, 2, 3],
    status: async (id): Promise<RollStatus | null> => {
      if (away.has(id)) return null
      const serving = [1, 2, 3].filter((other) => !away.has(other)).map((other) => ({ id: other, life: lifeOf(other) }))
      return { leader, life: lifeOf(id), serving }
    },
    cycle: async (id) => {
      cycled.push(id)
      starts.set(id, (starts.get(id) ?? 0) + 1)
      if (id === stays) away.add(id)
    },
    sleep: () => Promise.resolve(),
  })
  return { roll, cycled }
}

test('one after another, the leader last, each once all serve', async () => {
  const { roll, cycled } = scene({ leader: 2 })
  await roll.run()
  expect(cycled).toEqual([1, 3, 2])
  expect(roll.state).toMatchObject({ running: false, failed: null })
  expect(roll.state.steps.filter(({ replica }) => replica === 3).map(({ stage }) => stage)).toEqual([
    'waits',
    'drains',
    'catches up',
    'serves',
  ])
})

test('it begins with nobody while one of them is away', async () => {
  const { roll, cycled } = scene({ absent: 3 })
  await roll.run()
  expect(cycled).toEqual([])
  expect(roll.state.failed).toMatch(/^replica 2 and those after it were not restarted: .* bring them up first$/)
})

test('one that does not come back is the last', async () => {
  const { roll, cycled } = scene({ stays: 2 })
  await roll.run()
  expect(cycled).toEqual([2])
  expect(roll.state.failed).toMatch(/^replica 2 was started and does not serve after 300 s/)
})
