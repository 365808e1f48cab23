import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { SessionRows } from '../../../src/console/api-types.ts'
import { mayChange } from '../base/api.ts'
import { now } from '../base/clock.ts'
import { useLoad } from '../base/load.ts'
import { hrefOf } from '../base/address.ts'
import { route } from '../base/route.ts'
import { countSessions, deviceInSentence, sessionsIn, sessionsOf } from '../base/sessions.ts'
import type { SessionCount } from '../base/sessions.ts'
import { relative } from '../base/words.ts'
import { Card, Page } from '../parts/page.tsx'
import { RevokeButton } from '../parts/revocation.tsx'
import { SessionTable } from '../parts/session-table.tsx'
import { Empty, Ready } from '../parts/states.tsx'
import { Pages } from '../parts/table.tsx'
import { CopyButton, Foreign } from '../parts/text.tsx'

interface View {
  readonly page: SessionRows
  readonly sessions: SessionCount
}

export function UserPage({ userId }: { readonly userId: string }): JSX.Element {
  const { query } = route.value
  const [tenant, after] = [query.get('tenant') ?? '', query.get('after')]
  const [done, setDone] = useState('')
  const loaded = useLoad(JSON.stringify([userId, tenant, after]), async (abort): Promise<View> => {
    const [page, sessions] = await Promise.all([
      sessionsOf(userId, tenant, after, abort), countSessions(userId, tenant, abort),
    ])
    return { page, sessions }
  })
  const onDone = (sentence: string): void => {
    setDone(sentence)
    loaded.reload()
  }
  const { value } = loaded
  return <Page title={`User ${userId}`} heading={<>User <Foreign limit={64}>{userId}</Foreign></>}
    beside={<CopyButton text={userId} name="the user id" />}
    answer={value === null ? ' ' : answerOf(value)}
    actions={value !== null && mayChange() && value.sessions.count > 0
      ? <RevokeButton revocation={{ kind: 'all', userId, tenant, sessions: value.sessions }} onDone={onDone}
        label={labelOf(value.sessions)} />
      : undefined}>
    {done !== '' && <p class="done">{done}</p>}
    <Card id="sessions" title={tenant === '' ? 'Sessions' : `Sessions in the tenant ${tenant}`} actions={
      userId === '' ? undefined
        : <a href={hrefOf(['sessions'], { user: userId, tenant })}>Filter by device, address or tenant</a>
    }>
      <Ready loaded={loaded} what="The sessions">
        {({ page: { sessions, next } }) => <>
          {sessions.length === 0 ? <Empty title="No active session.">
            The user is logged out everywhere, or never logged in: user ids are compared exactly, upper and lower case
            differ.
          </Empty>
            : <SessionTable caption="Sessions of the user, newest login first" rows={sessions} withUser={false} />}
          <Pages what="sessions" isFirst={after === null} firstHref={hrefOf(['users', userId], { tenant })}
            nextHref={next === null ? null : hrefOf(['users', userId], { tenant, after: next })} />
        </>}
      </Ready>
    </Card>
    {/* An empty filter shows everything. */}
    {userId !== '' && <Card id="history" title="What happened">
      <p>The logs are kept for 30 days, also of sessions that have ended.</p>
      <p class="row">
        <a class="button" href={hrefOf(['thefts'], { user: userId })}>Thefts of this user</a>
        <a class="button" href={hrefOf(['audit'], { user: userId })}>Changes made in the console</a>
      </p>
    </Card>}
  </Page>
}

function labelOf(sessions: SessionCount): string {
  if (sessions.isAtLeast) return `Revoke all (${sessionsIn(sessions)})…`
  return sessions.count === 1 ? 'Revoke 1 session…' : `Revoke all ${sessionsIn(sessions)}…`
}

function answerOf({ page: { sessions }, sessions: total }: View): string {
  if (total.count === 0) return 'The user is not logged in.'
  const latest = sessions.toSorted((one, other) => other.refreshedAt - one.refreshedAt)[0]
  const verb = total.count === 1 ? 'is' : 'are'
  const first = total.isAtLeast ? 'At least ' : ''
  const many = `${first}${sessionsIn({ ...total, isAtLeast: false })} ${verb} active`
  return latest === undefined ? `${many}.`
    : `${many}; the last refresh was ${relative(latest.refreshedAt, now.value)} from ${deviceInSentence(latest)}.`
}
