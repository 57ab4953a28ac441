// A conference-bridge chooser: all who dial one conference come to the same bridge, as long as that takes calls.

import { defineApplication } from 'holdfast/servlet'

const bridges = ['sip:bridge1.example.com', 'sip:bridge2.example.com', 'sip:bridge3.example.com']

export const conference = defineApplication({
  name: 'conference',

  doInvite(request, { factory }) {
    const room = request.requestURI.user ?? ''
    if (room === '') return request.createResponse(484).send()
    const first = [...room].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65_521, 7) % bridges.length
    const proxy = request.getProxy()
    // One after another: the next bridge if the one before refuses, or doesn't take the call within four seconds.
    proxy.parallel = false
    proxy.proxyTimeout = 4
    for (let i = 0; i < bridges.length; i++) {
      const { host } = factory.createURI(bridges[(first + i) % bridges.length] ?? '')
      proxy.proxyTo(`sip:${room}@${host}`)
    }
  },
})
