// Kamailio beside the set: as its upstream (phone, Kamailio, set, phone) or its downstream (phone, set, Kamailio, phone). What is tried is
// the trunk between the two; the phones on both ends speak UDP. Kamailio keeps transactions and records its route, as an
// edge proxy does, and verifies certificates.

import { exitOf, isAlive, startProgram } from '../cluster/programs.ts'
import { until } from '../cluster/poll.ts'
import { dial } from '../cluster/strangers.ts'
import { inArena } from './arena.ts'
import type { Arena, Transport } from './arena.ts'
import { playCalls } from './play.ts'
import { missingPrograms, versionOf } from './software.ts'
import type { Software } from './software.ts'
import { firstPort, stackPhones } from './stack.ts'

const NUMBERS = { answered: 9, ringing: 6 }

export function kamailioSoftware(role: 'upstream' | 'downstream', trunk: Transport, slot: number): Software {
  return {
    ...{ name: 'kamailio', role, transport: trunk, slot },
    missing: () => missingPrograms(['kamailio'], 'kamailio kamailio-tls-modules'),
    version: () => versionOf('kamailio', ['-v']),
    run: role === 'upstream' ? (slot) => upstream(trunk, slot) : (slot) => downstream(trunk, slot),
  }
}

function upstream(trunk: Transport, slot: number): ReturnType<Software['run']> {
  const at = `127.0.0.1:${firstPort(slot)}`
  return inArena(slot, `${at};transport=udp`, async (arena) => {
    const kamailio = await startKamailio(arena, uri(arena.sip(trunk), trunk))
    const phones = stackPhones(arena, { by: 'udp', towards: `${kamailio}:5060`, callee: { by: 'udp', at } })
    return playCalls(arena, phones, NUMBERS)
  })
}

function downstream(trunk: Transport, slot: number): ReturnType<Software['run']> {
  const at = `127.0.0.1:${firstPort(slot)}`
  const kamailio = `127.66.${slot}.50:${trunk === 'tls' ? 5061 : 5060}`
  return inArena(slot, `${kamailio};transport=${trunk}`, async (arena) => {
    await startKamailio(arena, uri(at, 'udp'))
    const phones = stackPhones(arena, { by: 'udp', towards: arena.sip('udp'), callee: { by: 'udp', at } })
    return playCalls(arena, phones, NUMBERS)
  })
}

function uri(address: string, by: Transport): string {
  return `sip:${address};transport=${by}`
}

/** Starts one that sends new calls to `next`; its host. */
async function startKamailio(arena: Arena, next: string): Promise<string> {
  const host = arena.host(50)
  const own = arena.issue(host)
  const [certificate, key] = [arena.file('kamailio.pem', own.cert), arena.file('kamailio.key', own.key)]
  const shared = `method = TLSv1.2+\ncertificate = ${certificate}\nprivate_key = ${key}\nca_list = ${arena.folder}/ca.pem`
  const tls = arena.file(
    'kamailio-tls.cfg',
    `[server:default]\n${shared}\nverify_certificate = no\n[client:default]\n${shared}\nverify_certificate = yes\n`,
  )
  const config = arena.file('kamailio.cfg', configOf(host, next, tls))
  const program = startProgram('kamailio', ['-f', config, '-DD', '-E', '-Y', arena.folder])
  arena.atEnd(async () => {
    program.signal('SIGTERM')
    await exitOf(program, 'kamailio', 15_000)
  })
  await until('kamailio takes connections', 15_000, async () => {
    if (!isAlive(program.pid)) throw new Error(`kamailio has ended: ${program.stderr().slice(-4_000)}`)
    const socket = await dial(`${host}:5060`).catch(() => null)
    socket?.destroy()
    return socket === null ? null : true
  })
  return host
}

// Of Debian's own configuration: what relays calls (sanity and NAT, registrar and accounting left out).
function configOf(host: string, next: string, tls: string): string {
  return `#!KAMAILIO
debug=1
log_stderror=yes
children=2
tcp_children=2
auto_aliases=no
dns=no
rev_dns=no
enable_tls=yes
tcp_connection_lifetime=3605
listen=udp:${host}:5060
listen=tcp:${host}:5060
listen=tls:${host}:5061
loadmodule "tls.so"
loadmodule "kex.so"
loadmodule "tm.so"
loadmodule "tmx.so"
loadmodule "sl.so"
loadmodule "rr.so"
loadmodule "pv.so"
loadmodule "maxfwd.so"
loadmodule "textops.so"
loadmodule "siputils.so"
modparam("tls", "config", "${tls}")
modparam("tm", "fr_timer", 30000)
modparam("tm", "fr_inv_timer", 120000)
modparam("rr", "append_fromtag", 1)

request_route {
  if (!mf_process_maxfwd_header("10")) {
    sl_send_reply("483", "Too Many Hops");
    exit;
  }
  if (is_method("CANCEL")) {
    if (t_check_trans()) t_relay();
    exit;
  }
  if (!is_method("ACK")) {
    if (t_precheck_trans()) {
      t_check_trans();
      exit;
    }
    t_check_trans();
  }
  if (has_totag()) {
    if (loose_route()) {
      t_relay();
      exit;
    }
    if (is_method("ACK")) {
      if (t_check_trans()) t_relay();
      exit;
    }
    sl_send_reply("404", "Not here");
    exit;
  }
  record_route();
  $du = "${next}";
  t_relay();
}
`
}
