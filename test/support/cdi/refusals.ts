/** A response other than 200 that any call can get, in every version. */
export interface Refusal {
  readonly response: string
  readonly condition: string
  /** What the reference core does. */
  readonly reference: string
  /** The titles of the tests that show it, in `test/server`. */
  readonly tests: readonly string[]
}

/** The responses other than 200, in the order of the checks. */
export const refusals: readonly Refusal[] = [
  {
    response: '403',
    condition: 'a server without API keys gets a request from a web page, or for a host that is not local',
    reference: 'serves it',
    tests: ['requests of web pages get 403 and change nothing', 'a host name that is not local gets 403: %s'],
  },
  {
    response: '401 `Invalid API key`',
    condition: 'the API key is missing or wrong: `api-key`, or `Authorization` with or without `Bearer`',
    reference: 'same',
    tests: ['ADM-02: without the key, every path, tenant and version is refused', 'are sent as %s: %s'],
  },
  {
    response: '404 `Not found`', condition: 'the path is unknown',
    reference: 'same', tests: ['%s answers %i'],
  },
  {
    response: '400 `cdi-version …`',
    condition: 'the version is malformed or not served. Without one, the newest applies',
    reference: 'same', tests: ['version %s is refused', '%s gets access tokens of version %s'],
  },
  {
    response: '404 `Not found`', condition: 'the path names a tenant, and the version is 2.21',
    reference: 'same',
    tests: ['version 3.0 adds tenants; some calls are only for the public tenant from 5.0 or 5.6 on'],
  },
  {
    response: '405 `Method not supported`', condition: 'the path has other methods',
    reference: 'same, without `Allow`', tests: ['a known path refuses other methods with 405'],
  },
  {
    response: '400 `AppId or tenantId not found => …`', condition: 'the application or the tenant is not served',
    reference: 'same', tests: ['%s answers %i', 'a tenant need not be created: it exists if it is served'],
  },
  {
    response: '403 `Only public tenantId …`',
    condition: 'the path names a tenant, and the call is for the public one only: see the table of calls',
    reference: 'same',
    tests: ['version 3.0 adds tenants; some calls are only for the public tenant from 5.0 or 5.6 on'],
  },
  {
    response: '413', condition: 'the body is longer than `--max-body-bytes`',
    reference: 'has no limit', tests: ['DOS-03: long bodies, deep nesting and other shapes are refused'],
  },
  {
    response: '400 `Invalid Json Input`, `Field name …`',
    condition: 'the body is not a JSON object, or a field is missing or wrong',
    reference: 'same', tests: ['a body with %s is refused', 'a query without its parameter is refused'],
  },
  {
    response: '400 `The user payload contains protected field`',
    condition: 'the payload has the name of a claim of the protocol',
    reference: 'same', tests: ['a payload with the name of a protocol claim is refused, and nothing is stored'],
  },
  {
    response: '503, `Retry-After`', condition: 'the store does not answer, or a refresh must wait',
    reference: '500; no refresh waits',
    tests: [
      '%s is answered with 503 and Retry-After, and again when it is back',
      'ROT-15: %s: a busy refresh is 503 in plain text with Retry-After, changes nothing, and succeeds later',
    ],
  },
]
