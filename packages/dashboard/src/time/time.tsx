import { absolute, duration, relative } from './instant.ts'
import { useNow } from './now.ts'

/** A relative time; the absolute one on hover, and for machines. */
export function RelativeTime(props: { readonly at: string }) {
  const nowMs = useNow()
  const atMs = Date.parse(props.at)
  return (
    <time dateTime={props.at} title={absolute(atMs)}>
      {relative(atMs, nowMs)}
    </time>
  )
}

/** From `from` until `to`, or until now while there is no `to`. */
export function Duration(props: { readonly from: string; readonly to?: string | undefined }) {
  const nowMs = useNow()
  const toMs = props.to === undefined ? nowMs : Date.parse(props.to)
  return <span>{duration(toMs - Date.parse(props.from))}</span>
}
