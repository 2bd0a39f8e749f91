/** A lower-case host name or address with an optional port; anything else names no resource of ours. */
export const AUTHORITY = /^(?:[a-z0-9._-]{1,253}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?$/
