// What a replicated session must do, row by row: the behaviours of the SIP Servlet API (JSR 289, 359) that applications rely on, the
// questions that a design meeting on replicated SIP sessions left open in 2007, and the rules of group locks. A test that shows a row has
// its mark in its name: `[JSR 8]`, `[JSR question 2.1]`, `[JSR locks]`.

export interface Row {
  /** As marks name it. */
  readonly id: string
  readonly promise: string
  /** How it is kept in a replica set. */
  readonly here: string
}

export interface Chapter {
  readonly title: string
  readonly rows: readonly Row[]
}

const row = (id: string, promise: string, here: string): Row => ({ id, promise, here })

export const chapters: readonly Chapter[] = [
  {
    title: 'SipApplicationSession',
    rows: [
      row(
        '1',
        'an id for life, and its application’s name',
        'the id carries the group and a MAC: whoever shows it has it from the set',
      ),
      row(
        '2',
        'attributes are read, set, removed and listed; listeners hear of it',
        'what one turn changes is one commit, or nothing',
      ),
      row(
        '3',
        'when it was created, and when a message was last in it',
        'cluster time; the last access rides on commits that are made anyway, and changes no version',
      ),
      row(
        '4',
        'it expires, after three minutes unless told otherwise; `sessionExpired` may extend it',
        'a deadline in the log; extending and expiring are ordered by index',
      ),
      row('5', 'the time of expiry', 'that of the log, the same at each replica'),
      row(
        '6',
        'listeners: created, expired, ready to be invalidated, destroyed',
        'intents in the log: each is called until its commit counts; expired or extended, never both',
      ),
      row(
        '7',
        '`invalidate()` ends timers and sessions; afterwards all is IllegalState',
        'one commit; a timer that fired and was not performed loses',
      ),
      row(
        '8',
        '`invalidateWhenReady`: it ends by itself once all SipSessions are ready and no timer is active',
        'looked at in every commit of the group, which is one unit',
      ),
      row('9', 'its timers, all or by id', 'entities of the log: there after a takeover'),
      row('10', 'its sessions, all, by protocol or by id', 'those that another replica made too'),
      row(
        '11',
        'a URI or URL that leads back to it',
        'carries the authenticated group key, and when the session began: any replica takes it',
      ),
      row('12', 'one session for each application key', 'create-if-absent is one compare-and-put in the log'),
    ],
  },
  {
    title: 'SipSession',
    rows: [
      row(
        '13',
        'INITIAL, EARLY, CONFIRMED, TERMINATED; INITIAL again after a refusal; a proxy has rules of its own',
        'EARLY is committed as well: tags, route set, CSeq',
      ),
      row('14', 'which requests may be made in which state', 'the CSeq number is taken in the commit'),
      row(
        '15',
        '`invalidate()` is refused while a dialog or a transaction is open; `invalidateWhenReady`',
        'judged on the group’s committed entities',
      ),
      row(
        '16',
        'derived sessions when an INVITE forks, attributes cloned',
        'a session and a leg for each early dialog',
      ),
      row(
        '17',
        'handler, parties, Call-ID, region, subscriber',
        'names, looked up where they are used; region and subscriber as the application router said',
      ),
      row(
        '18',
        '`noAckReceived`, `noPrackReceived`',
        'the retransmissions’ end is a deadline of the log: it is called once',
      ),
      row(
        '19',
        'listeners: passivated, activated',
        'sessionDidActivate at each new owner, an intent of the log; nobody can be told before a death, and nothing is left to be saved',
      ),
    ],
  },
  {
    title: 'ServletTimer, TimerService',
    rows: [
      row(
        '20',
        'once; with a fixed delay; at a fixed rate, which catches up',
        'after a gap the first two fire once, late; a fixed rate catches up with a bounded number of times',
      ),
      row(
        '21',
        'persistent or not',
        'both are in the log: one that isn’t persistent may be lost with the whole set, never with a replica',
      ),
      row(
        '22',
        '`cancel()` in `timeout()` is the end of it; twice is once',
        'ordered by the log: the smaller index wins',
      ),
      row(
        '23',
        'when it was due, how long it is until then, its info, its id, its session',
        'cluster time; negative when it is late',
      ),
      row(
        '24',
        'an active timer keeps its session from being ready',
        'looked at in the commit that would end the session',
      ),
    ],
  },
  {
    title: 'Finding, linking, composing',
    rows: [
      row('25', 'a session by its id or its key', 'from each replica; never null because it lives elsewhere'),
      row(
        '26',
        'the session that Join or Replaces means',
        'found by Call-ID and tags; a Call-ID of ours names its group',
      ),
      row(
        '27',
        'sessions shared with HTTP: `encodeURL`, the application session of a request',
        'version and index in an authenticated cookie; the next request never sees less',
      ),
      row(
        '28',
        'B2buaHelper: link, unlink, the other leg’s requests, pending messages',
        'both legs change in one commit',
      ),
      row(
        '29',
        'Proxy: parallel, sequential, recursion, timeouts, the best response',
        'branches and the best response are committed; each branch has its timer C',
      ),
      row(
        '30',
        'the application router: NEW, CONTINUE, REVERSE, regions, stateInfo',
        'a table or a module; each application of a chain has a group of its own, and its stateInfo is in the session ([0037](decisions/0037-composition.md))',
      ),
      row(
        '31',
        'which session a request is for: encoded URI, key, Join or Replaces, router',
        'in this order, at each replica',
      ),
      row(
        '32',
        'one message or timer of an application session at a time',
        'the group’s order; nothing is held across a wait',
      ),
    ],
  },
  {
    title: 'The five questions of 2007',
    rows: [
      row(
        'question 1',
        'Several versions of one entity are about. Which one is the newest?',
        'There is one log: a version is +1 for each commit, and a write names the version that it was made on.',
      ),
      row(
        'question 2.1',
        'Must clients send versions back, and what if they ask for a stale one?',
        'SIP phones needn’t: an owner acts after the entry that made it one. HTTP has the version in a cookie, set before the response leaves.',
      ),
      row(
        'question 2.2',
        'A SIP session is changed by HTTP. How does the SIP client learn its new version?',
        'It needn’t: the change is in the log before the HTTP response, and the owner reads it from there.',
      ),
      row(
        'question 2.3',
        'A session is looked up by its id, with no version at hand. Is what is found the newest?',
        'A read barrier (ReadIndex) before the look.',
      ),
      row(
        'question 3',
        'Several versions of a session are active. How is there one set of timers?',
        'Timers fire in the log, not in sessions.',
      ),
    ],
  },
  {
    title: 'Group locks',
    rows: [
      row(
        'locks',
        'order, references, handlers of the end, “gone”, chained outside locks, a dump with file and line',
        'calls have the group’s order, and applications a lock with these rules ([LOCKING.md](LOCKING.md))',
      ),
    ],
  },
]
