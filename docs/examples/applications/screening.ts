// Call screening: who is on a list doesn't get through; everybody else is proxied to where the set sends calls.

import { defineApplication } from 'holdfast/servlet'

const unwanted = new Set(['mallory', 'robocaller'])

export const screening = defineApplication({
  name: 'screening',

  doInvite(request) {
    if (unwanted.has(request.from.uri.user ?? '')) request.createResponse(603, 'Not From You').send()
    else request.getProxy().proxyTo()
  },
})
