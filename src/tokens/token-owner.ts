/**
 * The application that a token belongs to: `ours` is this application, `other` is another one; `unreadable` is a string
 * that is not such a token. The signature of access tokens is not verified for this: use it only to decide which
 * cookies to clear.
 */
export type TokenOwner = 'ours' | 'other' | 'unreadable'
