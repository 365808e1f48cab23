import type { JSX } from 'preact'
import type { SessionDetail } from '../../../src/console/api-types.ts'
import { now } from '../base/clock.ts'
import { relative, span } from '../base/words.ts'
import { Time } from './text.tsx'

interface Life {
  readonly name: string
  readonly from: number
  readonly until: number
  readonly note: string
}

/** The spans that end a session, each as a bar from its beginning to its end with the part that has passed. */
export function Lifetimes({ session }: { readonly session: SessionDetail }): JSX.Element {
  return <div class="lives">{livesOf(session).map(life => <Bar key={life.name} {...life} />)}
    {session.lifetimes.absoluteExpiry === null
      && <p class="muted">No absolute lifetime: a session that is refreshed in time never expires.</p>}
    <p class="muted">Reuse interval: {span(session.lifetimes.reuseInterval)}. A refresh token that is sent again within
      it gets the same answer.</p>
  </div>
}

function livesOf({ createdAt, refreshedAt, expiresAt, lifetimes }: SessionDetail): Life[] {
  const { accessToken, idleTimeout, absoluteExpiry } = lifetimes
  return [
    {
      name: 'Access token', from: refreshedAt, until: refreshedAt + accessToken,
      note: `Valid for at most ${span(accessToken)} from its refresh.`,
    },
    {
      name: 'Without a refresh', from: refreshedAt, until: expiresAt,
      note: `The session expires after ${span(idleTimeout)} without a refresh.`,
    },
    ...absoluteExpiry === null ? [] : [{
      name: 'In any case', from: createdAt, until: absoluteExpiry,
      note: `The session ends ${span(absoluteExpiry - createdAt)} after the login, however often it is refreshed.`,
    }],
  ]
}

function Bar({ name, from, until, note }: Life): JSX.Element {
  const share = Math.max(0, Math.min(1, (now.value - from) / Math.max(1, until - from)))
  const isOver = until <= now.value
  const words = isOver ? `over, ${relative(until, now.value)}` : `ends ${relative(until, now.value)}`
  return <div class="life">
    <div class="row spread"><strong>{name}</strong><span class={isOver ? 'muted' : ''}>{words}</span></div>
    <div class="bar" role="meter" aria-label={name} aria-valuemin={0} aria-valuemax={100}
      aria-valuenow={Math.round(share * 100)} aria-valuetext={words}>
      <div class={isOver ? 'over' : ''} style={{ width: `${share * 100}%` }}></div>
    </div>
    <div class="row spread ends"><Time at={from} /><Time at={until} /></div>
    <p class="muted">{note}</p>
  </div>
}
