import type { Store } from '@headrace/engine'
import { callerOfKey } from '../auth/api-key.ts'
import { createSession, redeemLoginToken } from '../auth/session.ts'

export type Refused = { readonly code: 'unauthenticated' | 'login_token_used'; readonly why: string }
export type Login = { readonly session: string } | { readonly refused: Refused }

/** @param text an API key, a login link, or the token out of one */
export async function logIn(store: Store, text: string): Promise<Login> {
  const caller = await callerOfKey(store, text)
  if (caller) return { session: await createSession(store, caller) }
  if (text.startsWith('hr_')) return refuse('unauthenticated', 'That key is wrong, revoked or expired.')
  return logInWithToken(store, tokenOf(text))
}

export async function logInWithToken(store: Store, token: string): Promise<Login> {
  const redeemed = await redeemLoginToken(store, token)
  if ('session' in redeemed) return redeemed
  const instead = 'Start the server again for a new one, or use a key.'
  return redeemed.refused === 'used'
    ? refuse('login_token_used', `That login link was used already; each works once. ${instead}`)
    : refuse('unauthenticated', `That login link is unknown or older than an hour. ${instead}`)
}

function refuse(code: Refused['code'], why: string): Login {
  return { refused: { code, why } }
}

function tokenOf(text: string): string {
  return (URL.canParse(text) && new URL(text).searchParams.get('token')) || text
}
