import type { JSX } from 'preact'
import { useState } from 'preact/hooks'
import type { KeyRow, Keys } from '../../../src/console/api-types.ts'
import { announce, focusOn } from '../base/announce.ts'
import { change, mayChange, read } from '../base/api.ts'
import { now } from '../base/clock.ts'
import { useLoad } from '../base/load.ts'
import { count, lasting, relative } from '../base/words.ts'
import { Confirmation } from '../parts/dialog.tsx'
import { Findings } from '../parts/findings.tsx'
import { Card, Page } from '../parts/page.tsx'
import { Empty, Ready } from '../parts/states.tsx'
import { Table } from '../parts/table.tsx'
import type { Column } from '../parts/table.tsx'
import { Badge, CopyButton, Explained, Identifier, Time } from '../parts/text.tsx'

export function KeysPage(): JSX.Element {
  const loaded = useLoad('keys', abort => read<Keys>('keys', abort))
  const [isAsking, setAsking] = useState(false)
  const [done, setDone] = useState('')
  const { value } = loaded
  const rotate = async (): Promise<void> => {
    await change('POST', 'keys/rotation')
    const sentence = 'The next keys are published, and are used an hour later.'
    setDone(sentence)
    announce(sentence)
    loaded.reload()
    focusOn('title')
  }
  return <Page title="Keys" answer={value === null ? ' ' : answerOf(value)}
    actions={mayChange() ? <button type="button" class="dangerous" onClick={() => setAsking(true)}>
      Rotate now…</button> : undefined}>
    {done !== '' && <p class="done">{done}</p>}
    {isAsking && <Confirmation title="Rotate the keys now?" action="Publish the next keys" act={rotate}
      onClose={() => setAsking(false)}>
      <p>The next keys are published now and are used an hour later, when every service that verifies access tokens has
        them. Tokens that the present keys have signed stay valid until they expire, and all sessions go on.</p>
      <p><strong>This cannot be undone.</strong> If a key has leaked, rotation is not enough: follow{' '}
        <code>docs/leaks.md</code>.</p>
    </Confirmation>}
    <Ready loaded={loaded} what="The keys" lines={10}>
      {keys => <Loaded keys={keys} />}
    </Ready>
  </Page>
}

function answerOf({ keys, nextRotation }: Keys): string {
  const open = keys.filter(({ isEncrypted }) => !isEncrypted).length
  const current = keys.find(({ state, purpose }) => state === 'current' && purpose === 'access')
  return [
    current === undefined ? 'No key signs access tokens.'
      : `The key that signs access tokens has been in use ${lasting(current.activeFrom, now.value)}.`,
    nextRotation === null ? '' : `The next one comes into use ${relative(nextRotation, now.value)}.`,
    open === 0 ? 'All keys are encrypted.' : `${count(open, 'key')} ${open === 1 ? 'is' : 'are'} not encrypted.`,
  ].filter(sentence => sentence !== '').join(' ')
}

const purposes: Readonly<Record<KeyRow['purpose'], readonly [name: string, meaning: string]>> = {
  'access': ['Access tokens', 'Signs access tokens.'],
  'refresh': ['Refresh tokens', 'Tags refresh tokens, so that a token that Keyturn did not issue is recognized.'],
  'core-dynamic': ['JWTs, dynamic', 'Signs JWTs that the standalone server makes on request.'],
  'core-static': ['JWTs, static', 'Signs JWTs that the standalone server makes on request, and is never rotated.'],
}

const columns: readonly Column<KeyRow>[] = [
  {
    title: 'Key',
    cell: ({ kid, algorithm }) => <>
      <Identifier text={kid} name={`the id of the key ${kid}`} /><br /><span class="muted">{algorithm}</span>
    </>,
  },
  { title: 'For', cell: ({ purpose }) => <Explained tip={purposes[purpose][1]}>{purposes[purpose][0]}</Explained> },
  {
    title: 'State',
    cell: ({ state }) => state === 'current' ? <Badge tone="good">In use</Badge>
      : state === 'next' ? <Badge tone="plain">Next</Badge> : <Badge tone="plain">Only verifies</Badge>,
  },
  { title: 'In use from', cell: ({ activeFrom }) => <Time at={activeFrom} inList /> },
  {
    title: 'Removed',
    cell: ({ removedAt }) => removedAt === null ? <span class="muted">not planned</span>
      : <Time at={removedAt} inList />,
  },
  {
    title: 'At rest',
    cell: ({ isEncrypted }) => isEncrypted ? <Badge tone="good">Encrypted</Badge>
      : <Badge tone="bad">Not encrypted</Badge>,
  },
]

function Loaded({ keys: { keys, jwks, findings } }: { readonly keys: Keys }): JSX.Element {
  const text = JSON.stringify(jwks, null, 2)
  return <>
    {findings.length > 0 && <Findings findings={findings} />}
    <Card id="all" title="Keys in the store">
      {keys.length === 0 ? <Empty title="No keys yet.">The first login creates them.</Empty>
        : <Table caption="Keys" columns={columns} rows={keys} keyOf={({ kid }) => kid} />}
    </Card>
    <Card id="jwks" title="The public key set" actions={<CopyButton text={text} name="the public key set" />}>
      <p>Other services verify access tokens with it (RFC 7517). It has no secret.</p>
      <pre class="data" tabIndex={0} role="region" aria-label="The public key set as JSON">{text}</pre>
    </Card>
  </>
}
