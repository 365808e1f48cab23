import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import { announce, focusOn } from '../base/announce.ts'
import { revokeSession, revokeSessions, sessionsIn } from '../base/sessions.ts'
import type { SessionCount } from '../base/sessions.ts'
import { count } from '../base/words.ts'
import { Confirmation } from './dialog.tsx'
import { Foreign } from './text.tsx'

/** What is revoked: one session, the others of its user, or all of a user. */
export type Revocation =
  | { readonly kind: 'one'; readonly handle: string; readonly device: string; readonly userId: string }
  | { readonly kind: 'others'; readonly handle: string; readonly userId: string; readonly others: SessionCount }
  | { readonly kind: 'all'; readonly userId: string; readonly tenant: string; readonly sessions: SessionCount }

/** A button that asks and then revokes. `onDone` gets the sentence about what was done. */
export function RevokeButton({ revocation, label, onDone }: {
  readonly revocation: Revocation
  readonly label: string
  readonly onDone: (sentence: string) => void
}): JSX.Element {
  const [isAsking, setAsking] = useState(false)
  const { userId } = revocation
  const act = async (): Promise<void> => {
    const sentence = await revoke(revocation)
    announce(sentence)
    onDone(sentence)
    focusOn('title')
  }
  return <>
    <button type="button" class="dangerous" onClick={() => setAsking(true)}>{label}</button>
    {isAsking && <Confirmation title={titleOf(revocation)} action={actionOf(revocation)} act={act}
      onClose={() => setAsking(false)}>
      <p>
        {revocation.kind === 'one'
          ? <>The user <Foreign limit={60}>{userId}</Foreign> is logged out on {revocation.device}.</>
          : revocation.kind === 'others'
            ? <>The user <Foreign limit={60}>{userId}</Foreign> stays logged in with this session and is logged out
              everywhere else.</>
            : <>The user <Foreign limit={60}>{userId}</Foreign> is logged out on every device
              {revocation.tenant === '' ? '' : ` in the tenant ${revocation.tenant}`}.</>}
        {' '}Their access tokens are rejected as soon as the servers have read the change log, in general within a
        second.
      </p>
      <p><strong>This cannot be undone.</strong> The user has to log in again.</p>
    </Confirmation>}
  </>
}

async function revoke(revocation: Revocation): Promise<string> {
  const { kind, userId } = revocation
  if (kind === 'one') {
    await revokeSession(revocation.handle)
    return `The session of ${userId} on ${revocation.device} was revoked.`
  }
  const [tenant, except] = kind === 'all' ? [revocation.tenant, null] : ['', revocation.handle]
  const revoked = await revokeSessions(userId, tenant, except)
  return `${count(revoked, 'session')} of ${userId} ${revoked === 1 ? 'was' : 'were'} revoked.`
}

function titleOf(revocation: Revocation): string {
  return `${actionOf(revocation)}?`
}

function actionOf(revocation: Revocation): string {
  if (revocation.kind === 'one') return 'Revoke 1 session'
  if (revocation.kind === 'others') return `Revoke ${sessionsIn(revocation.others, 'other session')}`
  return `Revoke ${sessionsIn(revocation.sessions)}`
}
