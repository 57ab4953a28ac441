// etcd: three members, puts over gRPC, the writers spread over all three.

import { spawnSync } from 'node:child_process'
import { must } from '../../../src/base/assert.ts'
import { join } from 'node:path'
import { GrpcPut } from './grpc-put.ts'
import { endAll, freePorts, poll, startServer } from './system.ts'
import type { Keeping, Running, System, Writer } from './system.ts'

export const etcd: System = {
  name: 'etcd',
  missing: () => (spawnSync('etcd', ['--version']).status === 0 ? null : 'etcd: apt-get install etcd-server'),
  version: () => /Version: (\S+)/.exec(spawnSync('etcd', ['--version']).stdout.toString())?.[1] ?? '?',
  start,
}

/** `folder` lies in memory or on disk: etcd has no other switch. */
async function start(_keeping: Keeping, folder: string): Promise<Running> {
  const ports = await freePorts(6)
  const url = (port: number | undefined): string => `http://127.0.0.1:${must(port, 'a port')}`
  const members = [0, 1, 2].map((i) => ({ name: `m${i}`, client: ports[i], peer: url(ports[i + 3]) }))
  const cluster = members.map(({ name, peer }) => `${name}=${peer}`).join(',')
  const children = members.map(({ name, client, peer }) =>
    startServer('etcd', [
      ...['--name', name, '--data-dir', join(folder, name), '--log-level', 'error'],
      ...['--listen-client-urls', url(client), '--advertise-client-urls', url(client)],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer],
      ...['--initial-cluster', cluster, '--initial-cluster-state', 'new'],
    ]),
  )
  let leader = -1
  await poll('etcd has a leader', async () => {
    for (const [i, { client }] of members.entries()) {
      const answer = await fetch(`${url(client)}/v3/maintenance/status`, { method: 'POST', body: '{}' })
      const status = (await answer.json()) as { leader?: string; header?: { member_id?: string } }
      if (status.leader !== undefined && status.leader === status.header?.member_id) leader = i
    }
    return leader >= 0
  })
  const clients = members.map(({ client }) => must(client, 'a port'))
  return {
    pids: children.map(({ pid }) => must(pid, 'a process')),
    connect: (slots) => connectTo(slots === 1 ? [must(clients[leader], 'a port')] : clients),
    stop: () => endAll(children),
  }
}

async function connectTo(ports: readonly number[]): Promise<Writer> {
  const links = await Promise.all(ports.map((port) => GrpcPut.open(port)))
  return {
    write: (slot, done) => must(links[slot % links.length], 'a link').put(`key-${slot}`, done),
    close: () => {
      for (const link of links) link.close()
    },
  }
}
