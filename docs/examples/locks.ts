// What applications guard their own things with: docs/LOCKING.md tells this example.

import { GroupLock, Locks } from 'holdfast'

const locks = new Locks()
const registrar = locks.mutex('registrar')
const { group, reference } = GroupLock.create(locks, 'conference', 'room 7')
group.chain(registrar, -1)
group.addHandler('mixer', () => console.log('the mixer ends'))

await locks.turn('doInvite', async () => {
  using _hold = await group.acquire()
  console.log(group.dump())
})

const wrong = locks.turn('doBye', async () => {
  using _room = await GroupLock.create(locks, 'conference', 'room 8').group.acquire()
  using _registrar = await registrar.acquire()
})
await wrong.catch((error: Error) => console.log(`${error.name}: ${error.message}`))

reference.release()
