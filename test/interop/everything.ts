// All software that `npm run interop` knows, in the order of its table.

import { baresipSoftware } from './baresip.ts'
import { browserSoftware } from './browser.ts'
import { kamailioSoftware } from './kamailio.ts'
import type { Software } from './software.ts'
import { sippSoftware } from './sipp-builtin.ts'
import { stackSoftware } from './stack.ts'

export const everything: readonly Software[] = [
  sippSoftware('uac, uas', 'un', 131),
  sippSoftware('uac, uas', 't1', 132),
  sippSoftware('regexp, uas', 'un', 133),
  kamailioSoftware('upstream', 'udp', 141),
  kamailioSoftware('upstream', 'tcp', 142),
  kamailioSoftware('upstream', 'tls', 143),
  kamailioSoftware('downstream', 'udp', 144),
  kamailioSoftware('downstream', 'tcp', 145),
  kamailioSoftware('downstream', 'tls', 146),
  baresipSoftware('udp', 151),
  baresipSoftware('tcp', 152),
  baresipSoftware('tls', 153),
  stackSoftware('udp', 161),
  stackSoftware('tcp', 162),
  stackSoftware('tls', 163),
  browserSoftware(171),
]
