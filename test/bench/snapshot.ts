// `npm run bench:snapshot [ENTITIES [COMMITS A SECOND]]`: the table of the snapshot benchmark (snapshot-run.ts).

import { spawnSync } from 'node:child_process'
import { cpus, loadavg } from 'node:os'
import { longTurn } from './meter.ts'
import { runSnapshots } from './snapshot-run.ts'
import type { Phase } from './snapshot-run.ts'

const bytes = 500
const entitiesInGroup = 2

const aims = { p999: 20, most: 60 }

function row({ name, reading, done, resident, seconds, leads }: Phase): string {
  const { delay, turns, collector, memory, cpu } = reading
  const time = (share: number): string => (done.times[Math.ceil(share * done.times.length) - 1] ?? 0).toFixed(1)
  const columns = [
    leads ? name : `${name} (another replica leads by now)`,
    seconds.toFixed(1),
    (done.commits / reading.seconds).toFixed(0) + (done.lost > 0 ? ` (${done.lost} lost)` : ''),
    `${time(0.5)} / ${time(0.99)} / ${time(1)}`,
    `${delay.p99.toFixed(1)} / ${delay.p999.toFixed(1)} / ${delay.most.toFixed(1)}`,
    `${turns.long}, ${turns.most.toFixed(1)}`,
    `${(100 * collector.share).toFixed(1)} %, ${collector.most.toFixed(1)}, ${collector.full}`,
    `${memory.heap.toFixed(0)} / ${memory.arrays.toFixed(0)} / ${memory.resident.toFixed(0)}`,
    resident.toFixed(0),
    cpu.toFixed(2),
  ]
  return `| ${columns.join(' | ')} |`
}

const [entities = 1_000_000, rate = 500] = process.argv.slice(2).map(Number)
const groups = Math.ceil(entities / entitiesInGroup)
const commit = spawnSync('git', ['rev-parse', '--short', 'HEAD'], { encoding: 'utf8' }).stdout.trim()
const load = loadavg()[0]?.toFixed(1)
console.log(
  `${groups * entitiesInGroup} entities of ${bytes} bytes in ${groups} groups, ${rate} commits/s; times in ms, memory in MB`,
)
console.log(
  `${cpus().length} x ${cpus()[0]?.model}, Node.js ${process.version}, commit ${commit}, load ${load} before\n`,
)

const phases = await runSnapshots({
  shape: { groups, entities: entitiesInGroup, bytes },
  rate,
  rest: 10,
  every: 64_000_000,
  patience: 900_000,
  say: (line) => console.error(`${new Date().toISOString().slice(11, 19)} ${line}`),
})

console.log(
  `| meanwhile | s | commits/s | commit p50 / p99 / most | loop delay p99 / p99.9 / most | turns of over ${longTurn} ms and the longest, own processor time | collector: share, longest, full | leader: heap / arrays / resident, most | any replica: resident, most | processors |`,
)
console.log(`|${'---|'.repeat(10)}`)
for (const phase of phases) console.log(row(phase))
const misses = phases.filter(({ reading: { delay } }) => delay.p999 >= aims.p999 || delay.most >= aims.most)
const said = misses.length === 0 ? 'are met' : `are missed in: ${misses.map(({ name }) => name).join('; ')}`
console.log(
  `\nThe aims, p99.9 under ${aims.p999} ms and none over ${aims.most} ms, ${said}. Load ${loadavg()[0]?.toFixed(1)} after.`,
)
