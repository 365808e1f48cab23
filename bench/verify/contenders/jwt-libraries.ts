import { generateKeyPairSync } from 'node:crypto'
import { createSigner, createVerifier } from 'fast-jwt'
import { createLocalJWKSet, exportJWK, jwtVerify, SignJWT } from 'jose'
import type { JWTVerifyResult } from 'jose'
import { claims, SESSIONS, userId } from '../contender.ts'
import type { SetUp } from '../contender.ts'

const issuer = 'https://app.example.com/auth'
const { privateKey, publicKey } = generateKeyPairSync('ed25519')

const bearerOf = (authorization: string | undefined): string => authorization?.slice('Bearer '.length) ?? ''

const jose: SetUp = async () => {
  const jwks = createLocalJWKSet({ keys: [{ ...await exportJWK(publicKey), alg: 'EdDSA', kid: 'k1' }] })
  const headers = await Promise.all(Array.from({ length: SESSIONS }, async (_, index) => {
    const token = await new SignJWT({ ...claims, sid: `c${index}` }).setProtectedHeader({ alg: 'EdDSA', kid: 'k1', typ: 'at+jwt' })
      .setIssuer(issuer).setSubject(userId).setIssuedAt().setExpirationTime('1h').sign(privateKey)
    return { authorization: `Bearer ${token}` }
  }))
  return {
    headers: index => headers[index % SESSIONS] ?? {},
    find: request => jwtVerify(bearerOf(request.headers.authorization), jwks, { issuer, typ: 'at+jwt' }),
    userOf: (found: JWTVerifyResult) => found.payload.sub,
  }
}

function fastJwt(cache: boolean): SetUp {
  return async () => {
    const sign = createSigner({
      key: privateKey.export({ format: 'pem', type: 'pkcs8' }).toString(), algorithm: 'EdDSA', expiresIn: 3_600_000,
      iss: issuer, sub: userId, kid: 'k1',
    })
    const verify = createVerifier({
      key: publicKey.export({ format: 'pem', type: 'spki' }).toString(), algorithms: ['EdDSA'], allowedIss: issuer,
      cache: cache ? 10_000 : false,
    })
    const headers = Array.from({ length: SESSIONS }, (_, index) => (
      { authorization: `Bearer ${sign({ ...claims, sid: `c${index}` })}` }
    ))
    return {
      headers: index => headers[index % SESSIONS] ?? {},
      find: request => verify(bearerOf(request.headers.authorization)),
      userOf: (found: { readonly sub: string }) => found.sub,
    }
  }
}

export const setUps: Readonly<Record<string, SetUp>> = {
  'jose EdDSA, local JWKS': jose,
  'fast-jwt EdDSA': fastJwt(false),
  'fast-jwt EdDSA, cache': fastJwt(true),
}
