// A replica as a service of systemd: what it tells the manager (sd_notify(3)), heard by a socket of the test's own; there is no systemd here.

import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { Machines, writeConfig } from './machines.ts'
import { until } from './poll.ts'
import { exitOf, startProgram } from './programs.ts'
import { root } from './replica-set.ts'
import { inScene } from './scene.ts'

const hasTools =
  existsSync('/usr/bin/systemd-notify') &&
  ['python3', 'systemd-analyze'].every((tool) => spawnSync(tool, ['--version']).status === 0)
const reason = 'systemd-notify, systemd-analyze or python3 not found: on Debian, apt-get install systemd python3'
if (!hasTools && process.env['CI'] !== undefined) throw new Error(reason)
if (!hasTools) console.warn(`skipped, what systemd is told: ${reason}`)

/** Prints each datagram on a line. Who waits at the barrier (sd_notify_barrier(3)) goes on, for its descriptor is dropped. */
const LISTENER = `
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
print('bound', flush=True)
while True:
    for line in s.recv(4096).decode().split('\\n'):
        if line: print(line, flush=True)
`

test.skipIf(!hasTools)(
  'systemd hears that a replica is ready, that its loop goes round, and that it drains',
  async () => {
    await inScene(154, async (scene) => {
      const path = join(scene.folder, 'notify')
      const listener = startProgram('python3', ['-c', LISTENER, path])
      const config = join(scene.folder, 'set.json')
      writeConfig(config, join(scene.folder, 'data'), scene.place, {}, 1)
      const machines = new Machines(config, { NOTIFY_SOCKET: path, WATCHDOG_USEC: '1500000' })
      const heard = (line: string): number =>
        listener
          .stdout()
          .split('\n')
          .filter((one) => one === line).length
      try {
        await until('it listens', 5_000, () => (heard('bound') > 0 ? true : null))
        const replica = machines.start(1)
        await until('READY=1', 20_000, () => (heard('READY=1') > 0 ? true : null))
        expect((await machines.status(1)).serving).toHaveLength(1)
        await until('three times WATCHDOG=1', 10_000, () => (heard('WATCHDOG=1') >= 3 ? true : null))
        expect(heard('STOPPING=1')).toBe(0)
        replica.signal('SIGTERM')
        await until('STOPPING=1', 10_000, () => (heard('STOPPING=1') > 0 ? true : null))
        expect((await exitOf(replica, 'the replica', 25_000)).code).toBe(0)
        // A loop that stands still says nothing: that is what the watchdog is for.
        const again = machines.start(1)
        await until('READY=1 again', 20_000, () => (heard('READY=1') > 1 ? true : null))
        again.signal('SIGSTOP')
        const [before, from] = [heard('WATCHDOG=1'), performance.now()]
        await until('a watchdog would have struck', 5_000, () => (performance.now() - from > 1_500 ? true : null))
        expect(heard('WATCHDOG=1') - before).toBeLessThanOrEqual(1)
      } catch (error) {
        throw new Error(`${(error as Error).message}\n${listener.stdout()}\n${machines.story()}`, { cause: error })
      } finally {
        await machines.destroy()
        listener.signal('SIGKILL')
      }
    })
  },
)

test.skipIf(!hasTools)('the unit file is one, and hardened', () => {
  const unit = join(root, 'docs/deploy/holdfast@.service')
  const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=yes', '--no-pager', unit], {
    encoding: 'utf8',
  })
  const exposure = Number(/exposure level for \S+: (\d+\.\d)/.exec(stdout)?.[1])
  expect(exposure, stdout).toBeLessThan(2.5)
  const { stderr } = spawnSync('systemd-analyze', ['verify', unit], { encoding: 'utf8' })
  // The program isn't installed where this is tested.
  const said = stderr
    .split('\n')
    .filter((line) => line.includes('holdfast@') && !line.includes('/usr/local/bin/holdfast'))
  expect(said).toEqual([])
})
