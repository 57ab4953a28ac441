// A conference whose callers are all in one session, whatever replicas their calls come to: the room's name is the application key.

import { defineApplication } from 'holdfast/servlet'

const bridge = 'sip:192.0.2.10'

export const rooms = defineApplication({
  name: 'rooms',

  applicationKey: (request) => request.requestURI.user,

  doInvite(request) {
    const { applicationSession: room } = request
    room.setExpires(0)
    if (room.sessions.length > 20) return request.createResponse(486, 'Room Is Full').send()
    request.getProxy().proxyTo(bridge)
  },
})
