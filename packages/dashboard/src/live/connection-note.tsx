import type { Connection } from './use-events.ts'

/** Quiet on purpose: what is shown stays right, only not newer, and nothing is missed. */
export function ConnectionNote(props: { readonly connection: Connection }) {
  const isLost = props.connection === 'lost'
  return (
    <span className="connection" data-connection={props.connection} role="status">
      {props.connection === 'connecting' ? null : <span className="connection-dot" aria-hidden="true" />}
      {isLost ? 'Reconnecting…' : props.connection === 'live' ? 'Live' : ''}
    </span>
  )
}
