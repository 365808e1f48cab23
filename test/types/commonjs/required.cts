// A CommonJS module, whose imports are compiled to `require`.
import { createSessions } from 'keyturn'
import type { Sessions } from 'keyturn'
import { webSessions } from 'keyturn/frameworks/web'
import type { Claims, Info } from '../application.ts' with { 'resolution-mode': 'import' }
import { typeOf } from '../expect.ts'

const sessions = createSessions<Claims, Info>({ origin: 'https://app.example.com' })
typeOf(sessions).is<Sessions<Claims, Info>>()
webSessions(sessions).requireSession((_request, session) => {
  typeOf(session.getJwtPayload()).is<Readonly<Claims>>()
  return new Response()
})
// @ts-expect-error: the origin is missing
createSessions({})
