import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { SessionDetail } from '../../../src/console/api-types.ts'
import { mayChange, read } from '../base/api.ts'
import { now } from '../base/clock.ts'
import { useLoad } from '../base/load.ts'
import type { Loaded } from '../base/load.ts'
import { hrefOf, userHref } from '../base/address.ts'
import { countSessions, deviceInSentence, deviceOf } from '../base/sessions.ts'
import type { SessionCount } from '../base/sessions.ts'
import { count, relative, shorten } from '../base/words.ts'
import { DataCard } from '../parts/data-card.tsx'
import { Lifetimes } from '../parts/lifetimes.tsx'
import { Card, Page } from '../parts/page.tsx'
import { RevokeButton } from '../parts/revocation.tsx'
import { Empty, Ready } from '../parts/states.tsx'
import { Badge, CopyButton, Explained, Foreign, Identifier, Time } from '../parts/text.tsx'

interface View {
  readonly session: SessionDetail
  /** All sessions of its user; null if they could not be counted. */
  readonly sessions: SessionCount | null
}

export function SessionPage({ handle }: { readonly handle: string }): JSX.Element {
  const [done, setDone] = useState<{ readonly sentence: string; readonly isGone: boolean } | null>(null)
  const loaded = useLoad(handle, async (abort): Promise<View> => {
    const session = await read<SessionDetail>(`sessions/${encodeURIComponent(handle)}`, abort)
    return { session, sessions: await countSessions(session.userId, '', abort).catch(() => null) }
  })
  const { value } = loaded
  const head = {
    title: 'Session', heading: <>Session <code>{shorten(handle)}</code></>,
    beside: <CopyButton text={handle} name="the session handle" />,
  }
  if (done?.isGone) return <Page {...head} answer={done.sentence}><Ended handle={handle} /></Page>
  if (loaded.failure?.code === 'not_found') {
    return <Page {...head} answer="This session is not active."><Ended handle={handle} /></Page>
  }
  return <Page {...head} answer={value === null ? ' ' : answerOf(value.session)}
    actions={value === null || !mayChange() ? undefined
      : <Actions view={value} onDone={(sentence, isGone) => {
        setDone({ sentence, isGone })
        if (!isGone) loaded.reload()
      }} />}>
    {done !== null && <p class="done">{done.sentence}</p>}
    <Ready loaded={loaded} what="The session" lines={14}>
      {({ session }) => <Detail session={session} loaded={loaded} />}
    </Ready>
  </Page>
}

function answerOf(session: SessionDetail): JSX.Element {
  return <>
    <a href={userHref(session.userId)}><Foreign limit={60}>{session.userId}</Foreign></a> is logged in on{' '}
    <Foreign limit={60}>{deviceInSentence(session)}</Foreign>; the last refresh was{' '}
    {relative(session.refreshedAt, now.value)}.
  </>
}

function Actions({ view: { session, sessions }, onDone }: {
  readonly view: View
  readonly onDone: (sentence: string, isGone: boolean) => void
}): JSX.Element {
  const { handle, userId } = session
  const others = sessions === null ? null : { ...sessions, count: Math.max(0, sessions.count - 1) }
  return <>
    <RevokeButton label="Revoke this session…" onDone={sentence => onDone(sentence, true)}
      revocation={{ kind: 'one', handle, device: deviceInSentence(session), userId }} />
    {sessions !== null && others !== null && others.count > 0 && <>
      <RevokeButton label={`Revoke the other ${others.isAtLeast ? `${others.count}+` : others.count}…`}
        onDone={sentence => onDone(sentence, false)} revocation={{ kind: 'others', handle, userId, others }} />
      <RevokeButton label={`Revoke all ${sessions.isAtLeast ? `${sessions.count}+` : sessions.count}…`}
        onDone={sentence => onDone(sentence, true)} revocation={{ kind: 'all', userId, tenant: '', sessions }} />
    </>}
  </>
}

function Ended({ handle }: { readonly handle: string }): JSX.Element {
  return <Empty title="No active session has this handle.">
    It was revoked, has expired, or never existed. Look for it under{' '}
    <a href={hrefOf(['thefts'], { handle })}>Thefts</a> and <a href={hrefOf(['audit'], { handle })}>Audit</a>: their
    entries are kept for 30 days.
  </Empty>
}

const branchTip = 'A token that was refreshed twice within the reuse interval, or whose answer was lost, can have '
  + 'more than one child.'
const confirmedTip = 'The client has used an access token that it got together with this refresh token. From then on, '
  + 'a use of the parent counts as token theft.'

function Detail({ session, loaded }: {
  readonly session: SessionDetail
  readonly loaded: Loaded<View>
}): JSX.Element {
  const { lineage, client } = session
  return <div class="cards">
    <Card id="login" title="Login">
      <dl>
        <dt>User</dt>
        <dd><a href={userHref(session.userId)}><Foreign>{session.userId}</Foreign></a></dd>
        <dt>Tenant</dt>
        <dd><a href={hrefOf(['sessions'], { tenant: session.tenantId })}><Foreign>{session.tenantId}</Foreign></a></dd>
        <dt>Device</dt>
        <dd><Foreign>{deviceOf(session)}</Foreign></dd>
        <dt>User agent</dt>
        <dd>{client.userAgent === null ? <span class="muted">not sent</span> : <bdi>{client.userAgent}</bdi>}</dd>
        <dt>IP address</dt>
        <dd>{client.ip === null ? <span class="muted">unknown</span>
          : <a href={hrefOf(['sessions'], { ip: client.ip })}><Foreign>{client.ip}</Foreign></a>}</dd>
        <dt>Logged in</dt>
        <dd><Time at={session.createdAt} /></dd>
        <dt><Explained tip="When the user last proved who they are, at the login or by authenticating again.">
          Authenticated</Explained></dt>
        <dd><Time at={session.authenticatedAt} /></dd>
        <dt>Cookies</dt>
        <dd>{!session.handle.startsWith('c') ? 'None: headers transfer the tokens'
          : session.isPersistent ? 'Kept when the browser is closed' : 'Deleted when the browser is closed'}</dd>
      </dl>
    </Card>
    <Card id="lifetimes" title="How long does it live?"><Lifetimes session={session} /></Card>
    <Card id="token" title="Refresh token">
      <p>{lineage.sentence}</p>
      <dl>
        <dt><Explained tip="How often the session was refreshed: each refresh replaces the token by its child.">
          Generation</Explained></dt>
        <dd>{count(lineage.generation, 'refresh', 'refreshes')} since the login</dd>
        <dt><Explained tip={branchTip}>Branch</Explained></dt>
        <dd>{lineage.branch === 0 ? 'The first child of its parent'
          : `Child number ${lineage.branch + 1} of its parent`}</dd>
        <dt><Explained tip={confirmedTip}>Confirmed</Explained></dt>
        <dd>{lineage.isConfirmed ? <Badge tone="good">The client has it</Badge>
          : <Badge tone="unknown">Not seen in use yet</Badge>}</dd>
        <dt>Last refreshed</dt>
        <dd><Time at={session.refreshedAt} /></dd>
        <dt>Refresh key</dt>
        <dd><Identifier text={session.refreshKeyId} name="the id of the refresh key" /></dd>
      </dl>
      <p><a href={hrefOf(['thefts'], { handle: session.handle })}>Thefts and other evidence of this session</a></p>
    </Card>
    <DataCard key={`payload ${session.handle}`} handle={session.handle} kind="payload" data={session.jwtPayload}
      onSaved={loaded.reload} />
    <DataCard key={`info ${session.handle}`} handle={session.handle} kind="info" data={session.sessionInfo}
      onSaved={loaded.reload} />
  </div>
}
