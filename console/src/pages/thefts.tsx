import type { JSX } from 'preact'
import type { ConsoleEvent, TokenEvent } from '../../../src/console/api-types.ts'
import { now } from '../base/clock.ts'
import { eventFilterFrom, readEvents } from '../base/events.ts'
import type { EventFilter } from '../base/events.ts'
import { useLoad } from '../base/load.ts'
import { hrefOf, sessionHref, userHref } from '../base/address.ts'
import { route } from '../base/route.ts'
import { exact, relative } from '../base/words.ts'
import { Exports, LogFilter } from '../parts/log-head.tsx'
import { Page } from '../parts/page.tsx'
import { Empty, Ready } from '../parts/states.tsx'
import { Pages } from '../parts/table.tsx'
import { Badge, Foreign, Identifier, Time } from '../parts/text.tsx'
import type { Tone } from '../parts/text.tsx'
import { Crossing } from '../parts/crossing.tsx'

const isToken = (event: ConsoleEvent): event is TokenEvent => event.kind !== 'audit'

export function TheftsPage(): JSX.Element {
  const { query } = route.value
  const filter = eventFilterFrom(query)
  const after = query.get('after')
  const loaded = useLoad(JSON.stringify(['theft', filter, after]), abort => (
    readEvents('theft', filter, after, isToken, abort)
  ))
  const of = { ...filter }
  const answer = loaded.value === null ? ' ' : answerOf(loaded.value.events, filter, after !== null)
  return <Page title="Thefts" answer={answer}
    actions={<Exports kind="theft" filter={filter} what="thefts" />}>
    <p class="muted">Refresh tokens are used in the order in which they are issued. If an older one is used after a
      newer one, two parties hold tokens of the session. Entries are kept for 30 days.</p>
    <LogFilter page="thefts" filter={filter} />
    <Ready loaded={loaded} what="The theft log" lines={10}>
      {({ events, next }) => <>
        {events.length === 0
          ? <Empty title={next !== null ? 'Nothing matches so far. “Next page” goes on.'
            : after === null ? 'No alarm in the last 30 days.' : 'Nothing more.'}>
            An alarm appears here as soon as two parties use refresh tokens of one session.</Empty>
          : <ol class="alarms" aria-label="Alarms, newest first">
            {events.map(event => <li key={event.id}><Alarm event={event} /></li>)}
          </ol>}
        <Pages what="alarms" isFirst={after === null} firstHref={hrefOf(['thefts'], of)}
          nextHref={next === null ? null : hrefOf(['thefts'], { ...of, after: next })} />
      </>}
    </Ready>
  </Page>
}

function answerOf(events: readonly TokenEvent[], { user, handle }: EventFilter, isLater: boolean): string {
  const latest = events.find(({ kind }) => kind === 'theft')
  const of = handle !== '' ? ' of this session' : user !== '' ? ` of the user ${user}` : ''
  if (latest === undefined) {
    return isLater ? `Older alarms${of}.` : `No token theft${of} was detected in the last 30 days.`
  }
  const outcome = latest.isRevoked ? 'its session was revoked.'
    : 'its session was not revoked: the configuration only observes.'
  return `The latest token theft${of}${isLater ? ' on this page' : ''} was detected ${
    relative(latest.at, now.value)}; ${outcome}`
}

const kinds: Readonly<Record<TokenEvent['kind'], readonly [title: string, tone: Tone]>> = {
  theft: ['Token theft', 'bad'],
  shared: ['Shared refresh token', 'warning'],
  rejected: ['Rejected refresh token', 'warning'],
}

function Alarm({ event }: { readonly event: TokenEvent }): JSX.Element {
  const [title, tone] = kinds[event.kind]
  const { presented, current, userId, handle } = event
  return <article class="card alarm" aria-labelledby={`alarm-${event.id}`}>
    <div class="card-head">
      <h2 id={`alarm-${event.id}`}>
        <Badge tone={tone}>{title}</Badge>{' '}
        <span class="visually-hidden">of {userId ?? 'an unknown user'}</span> <Time at={event.at} />
      </h2>
      <Badge tone={event.isRevoked ? 'good' : 'warning'}>{event.isRevoked ? 'Session revoked' : 'Session kept'}</Badge>
    </div>
    <p>{event.sentence}</p>
    {presented !== null && current !== null
      && <Crossing presented={presented} current={current} kind={event.kind} isRevoked={event.isRevoked} />}
    <dl>
      <dt>User</dt>
      <dd>{userId === null ? 'unknown' : <a href={userHref(userId)}><Foreign>{userId}</Foreign></a>}</dd>
      <dt>Session</dt>
      <dd>{handle === null ? 'unknown' : <>
        <Identifier text={handle} name={`the session handle of the alarm of ${exact(event.at)}`} />{' '}
        {!event.isRevoked && <a href={sessionHref(handle)}>Open the session</a>}
      </>}</dd>
    </dl>
  </article>
}
