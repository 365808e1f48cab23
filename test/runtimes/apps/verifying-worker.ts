import { createVerifier } from '../../../src/verify.ts'
import type { Verifier } from '../../../src/verify.ts'

let verifier: Verifier<{ role?: string }> | null = null

/** A middleware at the edge: it answers with the user of the session that a request carries. */
const worker: {
  fetch(request: Request, environment: { readonly ISSUER: string; readonly JWKS_URL: string }): Promise<Response>
} = {
  async fetch(request, { ISSUER, JWKS_URL }) {
    verifier ??= createVerifier({ issuer: ISSUER, jwksUrl: JWKS_URL })
    const reading = await verifier.readSession(request)
    const userId = reading.kind === 'active' ? reading.session.getUserId() : null
    return Response.json({ kind: reading.kind, userId })
  },
}

export default worker
