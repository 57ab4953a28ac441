// `holdfast replica`: what `up` runs, once per replica. It gets its orders over the channel to its parent, and ends when
// that closes: a set never outlives its `up` (design.md 9).

import { Replica } from '../replica/replica.ts'
import { onEndSignals } from './end-signals.ts'
import { hostLimits } from './limits.ts'
import type { EndOrder, FromReplica, ReloadOrder, StartOrder } from './ipc.ts'
import { makeLog } from './log.ts'
import { EXIT_BUG, EXIT_CANNOT_START, EXIT_USAGE } from './options.ts'
import { ReplicaProcess } from './replica-process.ts'

/** Never resolves but for a wrong use: the process ends by itself. */
export function replicaMain(): Promise<number> {
  if (process.send === undefined) {
    process.stderr.write('holdfast replica is what "holdfast up" runs; see holdfast start --help\n')
    return Promise.resolve(EXIT_USAGE)
  }
  process.once('disconnect', () => process.exit(0))
  // A terminal's Ctrl-C reaches the whole process group; `up` decides what becomes of it.
  process.on('SIGINT', () => undefined)
  process.on('SIGHUP', () => undefined)
  process.once('message', (order) => void obey(order as StartOrder))
  return new Promise(() => undefined)
}

async function obey(order: StartOrder): Promise<void> {
  const log = makeLog(`replica-${order.replica}`, order.logLevel)
  const running = new ReplicaProcess(order, {
    log,
    makeReplica: (options) => new Replica(options),
    report: tell,
    end: ({ cause, reason }) => {
      if (cause === 'drained') {
        log.info({ code: 'drained' }, reason)
        return leave(0)
      }
      log.fatal({ code: `stopped-${cause}` }, reason)
      const code = cause === 'bug' ? EXIT_BUG : cause === 'removed' ? 0 : EXIT_CANNOT_START
      const told = cause === 'data' || cause === 'removed' ? cause : 'other'
      tell({ kind: 'failed', cause: told, reason }, () => leave(code))
      // A parent that is stopped takes nothing; this process must not stay for that.
      setTimeout(() => leave(code), hostLimits.aliveMs)
    },
  })
  const endNow = (): void => {
    running.close()
    leave(0)
  }
  process.on('message', (later: EndOrder | ReloadOrder) => {
    if (later.kind === 'end') endNow()
    else running.reload(later.config)
  })
  onEndSignals(['SIGTERM'], () => running.drain(), endNow)
  setInterval(() => tell({ kind: 'alive' }), hostLimits.aliveMs)
  await running.run()

  function leave(code: number): void {
    log.flush(() => process.exit(code))
  }
}

function tell(message: FromReplica, done: () => void = () => undefined): void {
  if (process.connected) process.send?.(message, undefined, undefined, done)
  else done()
}
