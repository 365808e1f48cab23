/**
 * Whose a token is: this application's, another's, or nobody's that can be told, since the text is no such token. For
 * access tokens it is told without a look at the signature, so it only decides what may be tidied up.
 */
export type TokenOwner = 'ours' | 'other' | 'unreadable'
