// One replica for `bench:log`: the product's process, whose replica has a second door for the load (load-door.ts).

import { must } from '../../../src/base/assert.ts'
import { ReplicaProcess } from '../../../src/host/replica-process.ts'
import type { ReplicaStart } from '../../../src/host/replica-process.ts'
import { makeLog } from '../../../src/host/log.ts'
import { Replica } from '../../../src/replica/replica.ts'
import type { InputBody } from '../../../src/replica/input.ts'
import { LoadDoor } from './load-door.ts'
import { openLoadPort } from './load-port.ts'

export interface BenchOrder {
  readonly start: ReplicaStart
  readonly loadPort: number
}

/** Said once all replicas serve. */
export interface BenchWord {
  readonly leader: number
}

/** No message comes here: this input only begins a turn, as a message would. */
const NOTHING: InputBody = { kind: 'stream-closed', stream: '' }

async function main({ start, loadPort }: BenchOrder): Promise<void> {
  const log = makeLog(`replica-${start.replica}`, 'warn')
  const doors: LoadDoor[] = []
  const running: ReplicaProcess = new ReplicaProcess(start, {
    log,
    makeReplica: (options) => {
      const door = new LoadDoor(new Replica(options), options.life)
      doors.push(door)
      return door
    },
    report: () => undefined,
    end: ({ reason }) => {
      log.fatal(reason)
      log.flush(() => process.exit(1))
    },
  })
  await running.run()
  const door = must(doors[0], 'a replica that runs')
  await openLoadPort(loadPort, door, () => running.give(NOTHING))
  const watch = setInterval(() => {
    const { leader } = door
    if (leader === null || !door.isReady(start.config.replicas.length)) return
    clearInterval(watch)
    const word: BenchWord = { leader }
    process.send?.(word)
  }, 20)
}

process.once('message', (order) => void main(order as BenchOrder))
process.once('SIGTERM', () => process.exit(0))
process.once('disconnect', () => process.exit(0))
