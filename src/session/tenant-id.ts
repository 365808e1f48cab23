/** What the id of a tenant looks like. */
export const TENANT_ID: RegExp = /^[a-z0-9-]{1,64}$/
