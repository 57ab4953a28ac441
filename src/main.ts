#!/usr/bin/env node
// The command line. Each command reads its own options; here is only which one is meant.

import { EXIT_USAGE } from './host/options.ts'

const HELP = `holdfast - SIP proxies that share their calls: kill any replica, no call is lost

  holdfast up       a replica set on this machine
  holdfast start    one replica of a set
  holdfast demo     starts a set, places calls, kills replicas, and counts
  holdfast init     asks for what a set needs, and writes its config file
  holdfast check    what is wrong with a config file
  holdfast status   the set at a glance
  holdfast events   what was committed, as it happens
  holdfast cdr      a record for each call that ended
  holdfast trace    a call's history from the log
  holdfast drain    ends one replica without losing a call
  holdfast ban      sources that a set takes nothing from
  holdfast members  who is in the set, and changes of it
  holdfast reload   new code for an application
  holdfast restart  restarts a set's replicas one after another
  holdfast backup   a replica's disk in one file, while calls run
  holdfast restore  a new set from a backup
  holdfast sim      the simulator: faults by seed, promises checked
  holdfast --version

holdfast COMMAND --help lists a command's options.
`

/** The code to exit with. Commands are loaded when they are meant: `status` needs no replica. */
export async function runCommand(args: readonly string[]): Promise<number> {
  const [command, ...rest] = args
  switch (command) {
    case 'up':
      return (await import('./host/up.ts')).upMain(rest, import.meta.filename)
    case 'replica':
      return (await import('./host/replica-command.ts')).replicaMain()
    case 'start':
      return (await import('./host/start.ts')).startMain(rest)
    case 'demo':
      return (await import('./host/demo-command.ts')).demoMain(rest, import.meta.filename)
    case 'init':
      return (await import('./host/init-command.ts')).initMain(rest)
    case 'check':
      return (await import('./host/check-command.ts')).checkMain(rest)
    case 'status':
      return (await import('./host/status.ts')).statusMain(rest)
    case 'events':
      return (await import('./host/events-command.ts')).eventsMain(rest)
    case 'cdr':
      return (await import('./host/events-command.ts')).cdrMain(rest)
    case 'trace':
      return (await import('./host/trace-command.ts')).traceMain(rest)
    case 'drain':
      return (await import('./host/drain-command.ts')).drainMain(rest)
    case 'ban':
      return (await import('./host/ban-command.ts')).banMain(rest)
    case 'members':
      return (await import('./host/members-command.ts')).membersMain(rest)
    case 'reload':
      return (await import('./host/reload-command.ts')).reloadMain(rest)
    case 'restart':
      return (await import('./host/restart-command.ts')).restartMain(rest)
    case 'backup':
      return (await import('./host/backup-command.ts')).backupMain(rest)
    case 'restore':
      return (await import('./host/restore-command.ts')).restoreMain(rest)
    case 'sim':
      return (await import('../sim/run/main.ts')).simMain(rest)
    case '--help':
    case '-h':
    case 'help':
      process.stdout.write(HELP)
      return 0
    case '--version':
      process.stdout.write(`${await version()}\n`)
      return 0
    default:
      process.stderr.write(command === undefined ? HELP : `holdfast: unknown command "${command}"\n\n${HELP}`)
      return EXIT_USAGE
  }
}

async function version(): Promise<string> {
  const { readFile } = await import('node:fs/promises')
  const text = await readFile(new URL(import.meta.resolve('holdfast/package.json')), 'utf8')
  return (JSON.parse(text) as { version: string }).version
}

if (import.meta.main) {
  process.exitCode = await runCommand(process.argv.slice(2))
  // Timers and sockets of a command that is done must not keep the process.
  process.exit()
}
